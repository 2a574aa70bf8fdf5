"""Run as a job, it does what its arguments say: `python -m tests.pipeline.local.batch.obedient`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    match sys.argv[1:]:
        case ["exit", status]:
            sys.exit(int(status))
        case ["tell", path]:
            told = {"pid": os.getpid(), "session": os.getsid(0), "environment": dict(os.environ)}
            Path(path).write_text(json.dumps(told))
        case ["succeed after", failures]:
            sys.exit(int(os.environ["AWS_BATCH_JOB_ATTEMPT"]) <= int(failures))
        case ["kill", number]:
            os.kill(os.getpid(), int(number))
        case ["sleep", seconds]:
            time.sleep(float(seconds))
        case ["start a child and sleep", path]:
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            Path(path).write_text(str(child.pid))
            time.sleep(60)
        case ["hold", megabytes]:
            held = bytearray(os.urandom(2**20) * int(megabytes))
            time.sleep(60)
            sys.exit(len(held) == 0)
        case ["hold in a child", megabytes]:
            subprocess.run([sys.executable, "-m", __spec__.name, "hold", megabytes], check=True)
        case ["note", path, name]:
            with Path(path).open("a") as file:
                file.write(f"{name}\n")
        case other:
            raise ValueError(other)


if __name__ == "__main__":
    main()
