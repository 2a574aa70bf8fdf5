"""Let calls of uploads go before calls of a backfill."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from pipeline.compute import Lane

PATIENCE_S: Final = 30.0  # after that, a call of a backfill waits no longer than one of an upload
COURTESY_S: Final = 10.0  # that a call of a backfill waits for uploads to be through
YOUNG_S: Final = 1.0  # a call of an upload that takes longer holds a backfill back no more
PAUSE_S: Final = 0.1  # from a call of an upload to the next of its execution, at most
LaneOf = Callable[[bytes], Lane | None]
_MOST_NICE: Final = 19
NICE: Final = 10  # a tenth of a core that an upload's worker, or another program, wants too
_REMEMBERED: Final = 256  # executions; an execution calls several functions


class Courtesy:
    """Holds a backfill's calls back while an upload is worked on, of whatever function.

    Priorities of workers are not enough: the cloud's own process serves all executions alike, and
    two logical cores may share a physical one. An upload is worked on while a call of it runs that
    is younger than `young_s`, and for `pause_s` after each call. A call of a backfill waits no
    longer than `patience_s`.
    """

    def __init__(
        self,
        *,
        young_s: float = YOUNG_S,
        pause_s: float = PAUSE_S,
        patience_s: float = COURTESY_S,
    ) -> None:
        self._young_s, self._pause_s, self._patience_s = young_s, pause_s, patience_s
        self._busy: dict[object, float] = {}  # calls of uploads, and until when they are young
        self._pause_ends = 0.0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def call(self, lane: Lane | None) -> Iterator[None]:
        """Hold a call: a backfill's waits before it begins, an upload's lets those wait.

        A call without a lane does neither.
        """
        if lane == "backfill":
            self._wait()
        if lane != "uploads":
            yield
            return
        this = object()
        with self._changed:
            self._busy[this] = time.monotonic() + self._young_s
        try:
            yield
        finally:
            with self._changed:
                del self._busy[this]
                self._pause_ends = time.monotonic() + self._pause_s
                self._changed.notify_all()

    def _wait(self) -> None:
        deadline = time.monotonic() + self._patience_s
        with self._changed:
            while (left := min(deadline, self._busy_until()) - time.monotonic()) > 0:
                self._changed.wait(left)

    def _busy_until(self) -> float:
        return max([self._pause_ends, *self._busy.values()])


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

    Without one, the call has no lane, such as a question of the page. `find_input` returns the
    input of an execution; None if there is none of that ARN.
    """

    @lru_cache(_REMEMBERED)
    def lane_of_execution(arn: str) -> Lane:
        given = find_input(arn)
        return (
            "backfill" if isinstance(given, dict) and given.get("lane") == "backfill" else "uploads"
        )

    def lane_of(payload: bytes) -> Lane | None:
        try:
            event = json.loads(payload)
        except ValueError:
            return None  # the function will say what is wrong
        arn = event.get("execution") if isinstance(event, dict) else None
        return lane_of_execution(arn) if isinstance(arn, str) else None

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
