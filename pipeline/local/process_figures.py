"""Measure another process as Lambda does: CPU-seconds and memory, with a limit. Linux only."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from pathlib import Path
from typing import Final

MEASURABLE: Final = Path("/proc/self/stat").exists()

_EVERY_S: Final = 0.01  # a larger block is filled more slowly than that
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_CODE_MB: Final = 100  # as `hardware.require_free`: mapped weights are dropped if need be
_CPU_FIELDS: Final = slice(11, 13)  # utime and stime, counted after the command's name


def cpu_seconds(pid: int) -> float:
    """Return the CPU-seconds of a process so far. Raises OSError if it has ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[_CPU_FIELDS])) / _TICKS_PER_S


def delayed_s(pid: int) -> float:
    """Return the seconds for which the process's first thread was ready but had no CPU.

    0 if the kernel does not count it.
    """
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except FileNotFoundError:
        return 0.0


def held_mb(pid: int, *, files_mb: int = _CODE_MB) -> float:
    """Return the memory that the kernel cannot take back. Raises OSError if the process ended.

    Of mapped files, at most `files_mb` count: the kernel drops their pages when it needs memory.
    """
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    told = {name: text.split() for name, _, text in (line.partition(":") for line in lines)}
    anonymous, shared, files = (
        int(told[name][0]) if name in told else 0 for name in ("RssAnon", "RssShmem", "RssFile")
    )
    return (anonymous + shared) / 2**10 + min(files / 2**10, files_mb)


class MemoryLimit:
    """Kills a process that holds more memory than its function has, as Lambda does.

    `peak_mb` is the most that it held.
    """

    def __init__(self, pid: int, limit_mb: int) -> None:
        self.peak_mb = 0.0
        self.exceeded = False
        self._pid = pid
        self._limit_mb = limit_mb
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        with contextlib.suppress(OSError):  # the process has ended
            while not self._done.wait(_EVERY_S):
                held = held_mb(self._pid)
                self.peak_mb = max(self.peak_mb, held)
                if held > self._limit_mb:
                    self.exceeded = True
                    os.killpg(self._pid, signal.SIGKILL)
                    return
