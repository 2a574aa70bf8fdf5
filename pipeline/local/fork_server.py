"""Fork workers from one warm process: Linux only.

Run by `ForkLauncher` as `python -m pipeline.local.fork_server CONTROL MODULE…`. This process
imports the modules, and makes one S3 client, before it answers the first request. It has one
thread, so that no lock is held in a fork, and imports little itself.

Each byte on the socket CONTROL asks for a worker and carries two descriptors: a channel and a log.
The worker reads its `Order` from the channel, and sends `pid N`. This process adds `status N` when
the worker ends. When CONTROL is closed, this process kills all workers and ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15
_C: Final = ctypes.CDLL(None)


@dataclass(frozen=True)
class Order:
    """What one worker is to run: a runtime client, a handler, and all its variables."""

    client: str
    handler: str
    name: str
    environment: dict[str, str]

    def dump(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def load(cls, text: bytes) -> Order:
        return cls(**json.loads(text))


@dataclass(frozen=True)
class Fork:
    """A new worker, in its own process: its way to the launcher, and the descriptor of its log."""

    channel: socket.socket
    log: int
    server: int

    def run(self) -> None:
        """Become the worker that the order describes, and serve its handler until the end."""
        os.setsid()
        self._die_with_the_server()
        for output in (sys.stdout, sys.stderr):
            os.dup2(self.log, output.fileno())
        os.close(self.log)
        with self.channel, self.channel.makefile("rb") as orders:
            order = Order.load(orders.read())
            _be_called(order.name)
            os.environ.clear()
            os.environ.update(order.environment)
            time.tzset()
            self.channel.sendall(b"pid %d\n" % os.getpid())
        gc.enable()
        sys.argv = [order.client, order.handler]
        runpy.run_module(order.client, run_name="__main__", alter_sys=True)

    def _die_with_the_server(self) -> None:
        _C.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self.server:  # it died before that
            os.kill(os.getpid(), signal.SIGKILL)


class ForkServer:
    """Forks workers on request, and reports how they end."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._channels: dict[int, socket.socket] = {}
        self._ended, self._wakeup = socket.socketpair()

    def serve(self) -> Fork | None:
        """Return a `Fork` in each new worker; in this process, None when it must end."""
        self._notice_ends()
        while True:
            readable, _, _ = select.select([self._control, self._ended], [], [])
            if self._ended in readable:
                self._ended.recv(4096)
                self._report_ended()
            if self._control in readable:
                asked, received, _, _ = socket.recv_fds(
                    self._control, 1, 2, socket.MSG_CMSG_CLOEXEC
                )
                if not asked:
                    signal.set_wakeup_fd(-1)  # its socket is closed before all have ended
                    self._kill_all()
                    return None
                if fork := self._fork(*received):
                    return fork

    def _fork(self, channel_fd: int, log: int) -> Fork | None:
        channel, server = socket.socket(fileno=channel_fd), os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            os.write(log, f"no process for a worker: {error}\n".encode())
            channel.sendall(b"status 1\n")
            channel.close()
            pid = None
        if pid == 0:
            self._leave()
            return Fork(channel, log, server)
        os.close(log)
        if pid:
            self._channels[pid] = channel
        return None

    def _notice_ends(self) -> None:
        self._wakeup.settimeout(0)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)

    def _leave(self) -> None:
        """Undo in a worker what only the server needs; its handler may start processes too."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for each in (self._control, self._ended, self._wakeup, *self._channels.values()):
            each.close()

    def _report_ended(self) -> None:
        with contextlib.suppress(ChildProcessError):  # no worker is left
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = ended
                with self._channels.pop(pid) as channel, contextlib.suppress(ConnectionError):
                    channel.sendall(b"status %d\n" % os.waitstatus_to_exitcode(status))

    def _kill_all(self) -> None:
        """Kill every worker, and the processes that it started."""
        for pid in self._channels:
            for kill in (os.killpg, os.kill):
                with contextlib.suppress(ProcessLookupError):
                    kill(pid, signal.SIGKILL)


def warm_up(modules: Iterable[str]) -> None:
    """Import what workers need. A module that fails is left to its worker, which reports it."""
    gc.disable()  # nothing imported here is garbage
    for module in modules:
        with contextlib.suppress(Exception, SystemExit):
            importlib.import_module(module)
    if "boto3" in sys.modules:
        _make_one_s3_client()
    gc.freeze()  # a collection in a worker does not touch these objects, so their pages stay shared


def _make_one_s3_client() -> None:
    """Have boto3 parse S3's description, which it keeps for the client that each worker makes."""
    import boto3  # noqa: PLC0415 - loaded by the modules, or else nobody needs it
    from botocore import UNSIGNED  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    boto3.client("s3", region_name="us-east-1", config=Config(signature_version=UNSIGNED))


def _be_called(name: str) -> None:
    """Show a name in `ps` and `top`, which have room for 15 bytes of it."""
    _C.prctl(_PR_SET_NAME, name.encode())


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)
    _be_called("fork-server")
    warm_up(sys.argv[2:])
    fork = ForkServer(control).serve()
    if fork is not None:
        fork.run()


if __name__ == "__main__":
    main()
