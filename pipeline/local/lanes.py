"""Let calls of uploads go before calls of a backfill."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from pipeline.compute import Lane

PATIENCE_S: Final = 30.0  # after that, a call of a backfill waits no longer than one of an upload
LaneOf = Callable[[bytes], Lane]
_MOST_NICE: Final = 19
NICE: Final = 10  # a tenth of a core that an upload's worker, or another program, wants too
_REMEMBERED: Final = 256  # executions; an execution calls several functions


class Places:
    """Places for one function's calls: `number` for uploads, of which a backfill may take some.

    A call of an upload takes any of them. If `most` is larger, it also need not wait for the slow
    calls of a backfill. A call of a backfill waits while an upload's waits, and leaves one place
    free if there is more than one. After `patience_s` it waits as an upload's does, so that it
    cannot wait for ever.
    """

    def __init__(
        self, number: int, *, most: int | None = None, patience_s: float = PATIENCE_S
    ) -> None:
        self._number = number
        self._most = most or number
        self._shared = max(1, number - 1)
        self._taken = Counter[Lane]()
        self._first = 0  # calls that wait as uploads do
        self._patience_s = patience_s
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def place(self, lane: Lane) -> Iterator[None]:
        """Wait for a place, and hold it until the block ends."""
        with self._changed:
            if lane == "uploads" or not self._changed.wait_for(self._is_left, self._patience_s):
                self._first += 1
                self._changed.wait_for(self._is_free)
                self._first -= 1
            self._taken[lane] += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken[lane] -= 1
                self._changed.notify_all()

    def _is_free(self) -> bool:
        return self._taken["uploads"] < self._number and self._taken.total() < self._most

    def _is_left(self) -> bool:
        return self._taken.total() < self._shared and not self._first


def lane_reader(find_input: Callable[[str], object]) -> LaneOf:
    """Return a function that finds a call's lane, by the execution whose ARN is in its payload.

    `find_input` returns the input of an execution; None if there is none of that ARN.
    """

    @lru_cache(_REMEMBERED)
    def lane_of_execution(arn: str) -> Lane:
        given = find_input(arn)
        return (
            "backfill" if isinstance(given, dict) and given.get("lane") == "backfill" else "uploads"
        )

    def lane_of(payload: bytes) -> Lane:
        try:
            event = json.loads(payload)
        except ValueError:
            return "uploads"  # the function will say what is wrong
        arn = event.get("execution") if isinstance(event, dict) else None
        return lane_of_execution(arn) if isinstance(arn, str) else "uploads"

    return lane_of


def be_nice(pid: int) -> None:
    """Lower the priority of a process that has just started, and of all that it starts.

    Raises ProcessLookupError if it has ended.
    """
    nice = min(_MOST_NICE, os.getpriority(os.PRIO_PROCESS, pid) + NICE)
    os.setpriority(os.PRIO_PROCESS, pid, nice)
    # On a desktop, Linux shares the cores out among sessions, and each worker leads one.
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(nice))
