"""Choose whether a network keeps its memory between runs, by measuring both."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from containers.model_downloader.sessions.trial import Trial
from pipeline.declared.containers import load_container
from pipeline.weights.staged import Memory, RunFigures, SessionSettings

LEAST_GAIN: Final = 0.05
LARGEST_SHARE: Final = 0.5  # of the function's memory, for a process that keeps it
LONGEST_RUN_MS: Final = 5_000.0  # processor time: functions of longer ones have no memory to keep
WARM_UPS: Final = 2  # onnxruntime plans its arena in the first run, and fills it in the second
ROUNDS: Final = 3
_PATIENCE_S: Final = 120.0
_FOLDER: Final = Path(__file__).parents[1]
_ROOT: Final = _FOLDER.parents[1]

Runs = dict[Memory, list[RunFigures]]


@dataclass(frozen=True)
class Place:
    """What the network's function has: its memory in MB, and threads for one run.

    `limit_mb` is the most that one process may take here.
    """

    memory_mb: int
    threads: int
    limit_mb: int


def choose_session(
    network: Path, shape: Sequence[int], place: Place, *, run_ms: float, seconds: float
) -> SessionSettings:
    """Run a network laid out for this CPU with both kinds of memory, and choose one.

    `run_ms` is what one run takes about. Returns memory after each run where that is too long to
    repeat, where a measurement fails or runs out of `seconds`, and in any doubt.
    """
    if run_ms > LONGEST_RUN_MS:
        return SessionSettings(memory="returned", threads=place.threads)
    runs = _measured(network, tuple(shape), place, seconds=min(seconds, _PATIENCE_S))
    if not all(runs.values()):
        return SessionSettings(memory="returned", threads=place.threads)
    figures = {memory: _least(each) for memory, each in runs.items()}
    memory = chosen(runs, memory_mb=place.memory_mb)
    return SessionSettings(memory=memory, threads=place.threads, runs=figures)


def chosen(runs: Runs, *, memory_mb: int) -> Memory:
    """Return `kept` if it gains enough in every round and leaves the function enough memory."""
    gains = len(runs["kept"]) == ROUNDS and _gains(runs)
    fits = max(run.peak_mb for run in runs["kept"]) < LARGEST_SHARE * memory_mb
    return "kept" if gains and fits else "returned"


def _gains(runs: Runs) -> bool:
    """Return True if no round says otherwise.

    The two took turns: one round that another process disturbed is enough to return memory.
    """
    rounds = zip(runs["returned"], runs["kept"], strict=True)
    return all(kept.cpu_ms <= (1 - LEAST_GAIN) * returned.cpu_ms for returned, kept in rounds)


def _measured(network: Path, shape: tuple[int, ...], place: Place, *, seconds: float) -> Runs:
    """Return the figures of each round, without the first runs; none if a process failed.

    The rounds end with one that does not gain enough: then the choice is made.
    """
    with ExitStack() as stack:
        processes: dict[Memory, subprocess.Popen[bytes]] = {}
        for memory in ("returned", "kept"):
            trial = Trial(
                network=network, shape=shape, memory=memory, threads=place.threads,
                optimised=True, limit_mb=place.limit_mb,
            )  # fmt: skip
            processes[memory] = stack.enter_context(_process(trial))
        timer = threading.Timer(max(seconds, 0), _end, [processes.values()])
        timer.start()
        stack.callback(timer.cancel)
        stack.callback(_end, processes.values())
        runs: Runs = {memory: [] for memory in processes}
        for turn in range(WARM_UPS + ROUNDS):
            for memory, process in processes.items():
                figures = _run(process)
                if figures is None:
                    return {memory: [] for memory in processes}
                if turn >= WARM_UPS:
                    runs[memory].append(figures)
            if not _gains(runs):
                break
        return runs


def _process(trial: Trial) -> subprocess.Popen[bytes]:
    """Start a trial with the environment that functions have: it sets the allocator."""
    allocator = (f"{name}={value}" for name, value in load_container(_FOLDER).environment.items())
    module = "containers.model_downloader.sessions"
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        ["/usr/bin/env", *allocator, sys.executable, "-m", module, trial.model_dump_json()],
        cwd=_ROOT, bufsize=0,  # so a dead one leaves nothing to write
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _run(process: subprocess.Popen[bytes]) -> RunFigures | None:
    """Run the network once; None if the process died."""
    assert process.stdin is not None  # noqa: S101 - for mypy: both are pipes
    assert process.stdout is not None  # noqa: S101
    try:
        process.stdin.write(b"\n")
        return RunFigures.model_validate_json(process.stdout.readline())
    except (OSError, ValidationError):
        return None


def _end(processes: Iterable[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.kill()


def _least(runs: Sequence[RunFigures]) -> RunFigures:
    return RunFigures(
        cpu_ms=round(min(run.cpu_ms for run in runs), 1), peak_mb=max(run.peak_mb for run in runs)
    )
