"""Run a command, and kill it when the local cloud ends: `python leash.py COMMAND…`.

Standard input is a pipe that only the cloud holds open: when it closes, however the cloud ended,
this process and all of its group are killed. The exit status is the command's, as a container's:
128 and the signal's number after a signal.
"""

import os
import signal
import subprocess
import sys
import threading


def _die_with_the_cloud() -> None:
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    threading.Thread(target=_die_with_the_cloud, daemon=True).start()
    status = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, check=False).returncode  # noqa: S603 - the cloud's own command
    sys.stdout.flush()
    os._exit(status if status >= 0 else 128 - status)  # the thread still reads


if __name__ == "__main__":
    main()
