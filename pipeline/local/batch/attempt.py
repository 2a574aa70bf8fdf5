"""Run one attempt of a job as a process, within its memory and its time."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, NamedTuple

from pipeline.local.batch import leash
from pipeline.local.process_figures import held_mb
from pipeline.local.worker import Command

# As AWS Batch and ECS word them; Step Functions and the retry rules match them.
EXITED: Final = "Essential container in task exited"
TIMED_OUT: Final = "Job attempt duration exceeded timeout"
OUT_OF_MEMORY: Final = "OutOfMemoryError: Container killed due to memory usage"

SIGNALLED: Final = 128  # added to a signal's number, it is the exit code of a container
_CHECK_S: Final = 0.1
_PROCESSES: Final = Path("/proc")


class Ended(NamedTuple):
    """How an attempt ended; `reason` is the container's, empty unless something killed it."""

    exit_code: int
    status_reason: str = EXITED
    reason: str = ""


@dataclass(frozen=True)
class Limits:
    """What an attempt may take."""

    memory_mb: int
    timeout_s: float


class Attempt:
    """A running process, which leads a session and a process group of its own."""

    def __init__(self, command: Command, limits: Limits, log: IO[bytes]) -> None:
        self._limits = limits
        self._killed = threading.Event()
        self._started = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter or image
            (sys.executable, "-IS", leash.__file__, *command.arguments),
            cwd=command.folder,
            env=command.environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """Kill the process and its children; `wait` returns how it ended."""
        self._killed.set()

    def wait(self) -> Ended:
        """Wait for the end, and enforce the limits until then."""
        try:
            return self._watch()
        finally:
            self._kill_all()

    def _watch(self) -> Ended:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = self._process.wait(_CHECK_S)
                return Ended(status if status >= 0 else SIGNALLED - status)
            if self._killed.is_set():
                return self._stop()
            if time.monotonic() - self._started > self._limits.timeout_s:
                return self._stop(status_reason=TIMED_OUT)
            if family_mb(self.pid) > self._limits.memory_mb:
                return self._stop(reason=OUT_OF_MEMORY)

    def _stop(self, *, status_reason: str = EXITED, reason: str = "") -> Ended:
        self._kill_all()
        return Ended(SIGNALLED + signal.SIGKILL, status_reason, reason)

    def _kill_all(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: only zombies left
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()


def family_mb(pid: int) -> float:
    """Return the memory of a process and its descendants, files not counted; 0 except on Linux."""
    return sum(map(_own_mb, _family(pid)))


def _family(pid: int) -> Iterator[int]:
    yield pid
    for children in (_PROCESSES / str(pid) / "task").glob("*/children"):
        with contextlib.suppress(OSError):  # the thread ended
            for child in children.read_text().split():
                yield from _family(int(child))


def _own_mb(pid: int) -> float:
    try:
        return held_mb(pid, files_mb=0)
    except OSError:  # it ended, or this is not Linux
        return 0.0
