"""Run Lambda functions in pools of worker processes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipeline.compute import LANES, Lane
from pipeline.local.lanes import Courtesy, LaneOf, Places, be_nice
from pipeline.local.runtime_api import Answer, error_answer
from pipeline.local.worker import Function, Launcher, Worker

Listener = Callable[[str, bytes, Answer], None]
Forerunner = Callable[[str, bytes], None]


class StoppedError(Exception):
    """The cloud is stopping, and starts no new worker."""


class LambdaHost:
    """All functions of the cloud and their workers. Idle workers are reused, dead ones replaced.

    `lane_of` finds the lane of a call by its payload: calls of uploads go first, and so do those
    of no lane.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        *,
        launcher: Launcher,
        logs: Path,
        concurrency: int,
        lane_of: LaneOf = lambda _: None,
    ) -> None:
        self._lane_of = lane_of
        self._courtesy = Courtesy()
        self._listeners: list[Listener] = []
        self._forerunners: list[Forerunner] = []
        self._pools = {
            function.name: _Pool(
                function,
                launcher=launcher,
                logs=logs,
                concurrency=function.concurrency or concurrency,
            )
            for function in functions
        }

    def __contains__(self, name: str) -> bool:
        return name in self._pools

    def invoke(self, name: str, payload: bytes, *, function_arn: str) -> Answer:
        """Invoke a function and return its answer; wait for a worker while all are busy."""
        for forerunner in self._forerunners:
            forerunner(name, payload)
        lane = self._lane_of(payload)
        try:
            with self._courtesy.call(lane), self._pools[name].worker(lane or "uploads") as worker:
                answer = worker.invoke(payload, function_arn)
        except StoppedError as stopped:
            return error_answer("Runtime.ExitError", str(stopped))
        for listener in self._listeners:
            listener(name, payload, answer)
        return answer

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every call that is answered: function, payload and answer."""
        self._listeners.append(listener)

    def listen_before(self, forerunner: Forerunner) -> None:
        """Call `forerunner` with every call before it is made: function and payload."""
        self._forerunners.append(forerunner)

    def warm(self, names: Iterable[str]) -> None:
        """Start one worker of each function, without waiting until it is ready."""
        for name in names:
            self._pools[name].start_one()

    def function(self, name: str) -> Function:
        return self._pools[name].function

    def worker_pids(self, name: str) -> list[int]:
        return self._pools[name].pids()

    def stop(self) -> None:
        with ThreadPoolExecutor() as threads:
            list(threads.map(_Pool.stop, self._pools.values()))


class _Pool:
    """The workers of one function, each for the calls of one lane.

    Workers of a backfill have a low priority, and keep it. If memory has room for enough workers,
    uploads find warm ones of their own while a backfill runs.
    """

    def __init__(
        self, function: Function, *, launcher: Launcher, logs: Path, concurrency: int
    ) -> None:
        self.function = function
        self._launcher = launcher
        self._log_path = logs / f"{function.name}.log"
        self._most = function.workers or concurrency
        self._places = Places(concurrency, most=self._most)
        self._lock = threading.Lock()
        self._idle: dict[Lane, list[Worker]] = {lane: [] for lane in LANES}
        self._all: list[Worker] = []
        self._stopped = False

    @contextlib.contextmanager
    def worker(self, lane: Lane) -> Iterator[Worker]:
        with self._places.place(lane):
            lane, worker = self._idle_or_new(lane)
            try:
                yield worker
            finally:
                with self._lock:
                    if worker.alive:
                        self._idle[lane].append(worker)
                    else:
                        self._all.remove(worker)

    def start_one(self) -> None:
        with self._lock:
            if not self._all:
                self._idle["uploads"].append(self._start("uploads"))

    def pids(self) -> list[int]:
        with self._lock:
            return [worker.pid for worker in self._all]

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            for worker in self._all:
                worker.stop()

    def _idle_or_new(self, lane: Lane) -> tuple[Lane, Worker]:
        """Return a worker and its lane: a single worker serves the calls of both lanes."""
        with self._lock:
            if worker := self._idle_of(lane):
                return lane, worker
            if lane == "backfill" and self._most == 1 and (worker := self._idle_of("uploads")):
                return "uploads", worker
            if len(self._all) >= self._most:
                self._stop_an_idle()
            return lane, self._start(lane)

    def _idle_of(self, lane: Lane) -> Worker | None:
        while self._idle[lane]:
            worker = self._idle[lane].pop()
            if worker.alive:
                return worker
            self._all.remove(worker)
        return None

    def _stop_an_idle(self) -> None:
        """Stop an idle worker of the other lane, to make room for a new one."""
        for idle in self._idle.values():
            if idle:
                worker = idle.pop()
                self._all.remove(worker)
                worker.stop()
                return

    def _start(self, lane: Lane) -> Worker:
        if self._stopped:
            raise StoppedError(f"{self.function.name} is stopped")
        with self._log_path.open("ab") as log:
            worker = Worker(self.function, launcher=self._launcher, log=log)
        if lane == "backfill":
            with contextlib.suppress(ProcessLookupError):  # it did not start, as its call will say
                be_nice(worker.pid)
        self._all.append(worker)
        return worker
