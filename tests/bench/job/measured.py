"""Run a command and measure all its processes: time, processor time, memory.

`python -m tests.bench.job.measured time|memory COMMAND...` prints the figures as JSON.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

from tests.conftest import ROOT

_SET_CHILD_SUBREAPER: Final = 36  # prctl(2)
_SAMPLE_S: Final = 0.2
_PROC: Final = Path("/proc")


@dataclass(frozen=True)
class Spent:
    """What a command took.

    `cpu_s` is user and system time of all its processes. `largest_mb` is the peak of its largest
    process, `together_mb` the peak of all of them, where a shared page counts once; both are 0
    unless memory was sampled.
    """

    wall_s: float
    cpu_s: float
    largest_mb: float = 0.0
    together_mb: float = 0.0


def measure(command: Sequence[str], environment: Mapping[str, str], *, memory: bool) -> Spent:
    """Run the command in a measuring process. Raises SystemExit if it fails.

    Sampling memory takes processor time from the command: measure time without it.
    """
    kind = "memory" if memory else "time"
    measuring = [sys.executable, "-m", "tests.bench.job.measured", kind, *command]
    done = subprocess.run(
        measuring, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)[:200]}\n{done.stdout}{done.stderr}")
    return Spent(**json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    kind, *command = sys.argv[1:]
    _adopt_orphans()
    memory = _Memory()
    started = perf_counter()
    process = subprocess.Popen(command, stdout=sys.stderr)
    if kind == "memory":
        memory.start()
    status = process.wait()
    wall_s = perf_counter() - started
    memory.stop()
    _reap()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = used.ru_utime + used.ru_stime
    print(json.dumps(asdict(Spent(wall_s, cpu_s, memory.largest_mb, memory.together_mb))))  # noqa: T201
    sys.exit(status)


def _adopt_orphans() -> None:
    """Become the parent of orphaned descendants, so that their time is counted too."""
    if ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def _reap() -> None:
    """Wait for processes that the command left behind."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


class _Memory:
    """Samples the memory of this process's descendants, from `start` to `stop`."""

    def __init__(self) -> None:
        self.largest_mb = self.together_mb = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        if self._thread.ident:
            self._thread.join()

    def _sample(self) -> None:
        while not self._done.wait(_SAMPLE_S):
            pids = _descendants(os.getpid())
            largest = [_megabytes(_PROC / str(pid) / "status", "VmHWM:") for pid in pids]
            shares = [_megabytes(_PROC / str(pid) / "smaps_rollup", "Pss:") for pid in pids]
            self.largest_mb = max(self.largest_mb, *largest, 0.0)
            self.together_mb = max(self.together_mb, sum(shares))


def _descendants(root: int) -> list[int]:
    parents: dict[int, int] = {}
    for folder in _PROC.glob("[0-9]*"):
        try:
            after_name = (folder / "stat").read_text().rpartition(")")[2]
        except OSError:  # it has ended
            continue
        parents[int(folder.name)] = int(after_name.split()[1])
    found: list[int] = []
    generation = {root}
    while generation := {pid for pid, parent in parents.items() if parent in generation}:
        found.extend(generation)
    return found


def _megabytes(path: Path, name: str) -> float:
    """Return a figure in MB; 0 if the process has ended."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name)), 0.0)


if __name__ == "__main__":
    main()
