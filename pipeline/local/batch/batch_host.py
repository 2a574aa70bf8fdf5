"""Run jobs of AWS Batch on this computer: by lane, as many at once as it has room for."""

from __future__ import annotations

import heapq
import itertools
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from pipeline.local.batch.attempt import Attempt, Limits
from pipeline.local.batch.definition import COMPUTE_ENVIRONMENT, JobDefinition, JobQueue
from pipeline.local.batch.job import Job, Status
from pipeline.local.logs_api import shorten
from pipeline.local.moto.shelf import Shelf
from pipeline.local.worker import ALIKE, Launcher

Listener = Callable[[Job], None]


class Room(NamedTuple):
    """CPU cores and memory, of the computer or for a job."""

    vcpus: int
    memory_mb: int

    def holds(self, other: Room) -> bool:
        return self.vcpus >= other.vcpus and self.memory_mb >= other.memory_mb

    def plus(self, other: Room, sign: int = 1) -> Room:
        return Room(self.vcpus + sign * other.vcpus, self.memory_mb + sign * other.memory_mb)


class BatchHost:
    """Every queue and every job. Ended jobs are kept on disk, until the cloud stops.

    A job that needs more than the computer has gets all of it. A job without room waits, and all
    jobs behind it wait too.
    """

    def __init__(
        self,
        definitions: Iterable[JobDefinition],
        queues: Iterable[JobQueue],
        *,
        launcher: Launcher,
        logs: Path,
        room: Room,
    ) -> None:
        self.definitions: Final = {each.name: each for each in definitions}
        self.queues: Final = {each.name: each for each in queues}
        self.room: Final = room
        self._free = room
        self._launcher = launcher
        self._logs = logs
        self._lock = threading.RLock()
        self._numbers = itertools.count()
        self._waiting: list[tuple[int, int, Job]] = []
        self._jobs: dict[str, Job] = {}
        self._ended = Shelf()
        self._threads: set[threading.Thread] = set()
        self._listeners: list[Listener] = []
        self._untold: deque[Job] = deque()
        self._stopped = False

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every job that has ended, in any thread."""
        self._listeners.append(listener)

    def submit(self, job: Job) -> None:
        with self._lock:
            self._jobs[job.id] = job
            heapq.heappush(self._waiting, (-job.queue.priority, next(self._numbers), job))
            self._start_next()
        self._tell_ends()

    def detail(self, job_id: str) -> dict[str, Any] | None:
        """Return a job as DescribeJobs does; None if there is none of this id."""
        with self._lock:
            if job_id in self._jobs:
                return self._jobs[job_id].detail()
            found: dict[str, Any] | None = self._ended.get(job_id)
            return found

    def details(self) -> Iterator[dict[str, Any]]:
        """Yield every job as DescribeJobs does."""
        with self._lock:
            ids = [*self._jobs, *self._ended]
        yield from filter(None, map(self.detail, ids))

    def terminate(self, job_id: str, reason: str) -> None:
        """End a job, whatever it does. One that has ended stays as it is."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job and job.running:
                job.terminated, job.status_reason = True, reason
                job.running.kill()
            elif job and job.status == "RUNNABLE":
                job.terminated = True
                self._withdraw(job, reason)
        self._tell_ends()

    def cancel(self, job_id: str, reason: str) -> None:
        """End a job that has not started. Any other stays as it is."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job and job.status == "RUNNABLE":
                job.cancelled = True
                self._withdraw(job, reason)
        self._tell_ends()

    def pids(self) -> list[int]:
        with self._lock:
            return [job.running.pid for job in self._jobs.values() if job.running]

    def stop(self) -> None:
        """Kill every job, and wait until its process has ended."""
        with self._lock:
            self._stopped = True
            for job_id in list(self._jobs):
                self.terminate(job_id, "the cloud stops")
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def _withdraw(self, job: Job, reason: str) -> None:
        self._waiting = [each for each in self._waiting if each[2] is not job]
        heapq.heapify(self._waiting)
        self._finish(job, "FAILED", reason)

    def _start_next(self) -> None:
        while self._waiting and not self._stopped:
            job = self._waiting[0][2]
            needed = self._needed(job)
            if not self._free.holds(needed):
                return
            heapq.heappop(self._waiting)
            if self._begin(job):
                self._free = self._free.plus(needed, -1)
                thread = threading.Thread(target=self._follow, args=(job,), daemon=True)
                self._threads.add(thread)
                thread.start()

    def _needed(self, job: Job) -> Room:
        definition = job.definition
        return Room(
            min(definition.vcpus, self.room.vcpus),
            min(definition.function.memory_mb, self.room.memory_mb),
        )

    def _begin(self, job: Job) -> bool:
        """Start the next attempt of a job, which fails if this computer cannot."""
        definition = job.definition
        function = definition.function
        command = self._launcher.job(function, job.command(), self._environment(job))
        limits = Limits(function.memory_mb, function.timeout_s)
        try:
            with self._log(job).open("ab") as log:
                job.run(Attempt(command, limits, log))
        except OSError as error:
            self._finish(job, "FAILED", f"CannotStartContainerError: {error}")
            return False
        return True

    def _log(self, job: Job) -> Path:
        return self._logs / job.definition.log

    def _environment(self, job: Job) -> Mapping[str, str]:
        function = job.definition.function
        return {
            **ALIKE,
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_BATCH_JOB_ID": job.id,
            "AWS_BATCH_JOB_ATTEMPT": str(len(job.attempts) + 1),
            "AWS_BATCH_JQ_NAME": job.queue.name,
            "AWS_BATCH_CE_NAME": COMPUTE_ENVIRONMENT,
            **function.environment,
            "MATTELINE_THREADS": str(self._needed(job).vcpus),
            **job.environment,
        }

    def _follow(self, job: Job) -> None:
        """Wait for the end of each attempt of a job that has begun."""
        while attempt := job.running:
            ended = attempt.wait()
            shorten(self._log(job))
            with self._lock:
                if job.note(ended) and self._begin(job):
                    continue
                if job.status == "RUNNING":
                    done = ended.exit_code == 0 and not job.terminated
                    reason = job.status_reason or ended.status_reason
                    self._finish(job, "SUCCEEDED" if done else "FAILED", reason)
                self._free = self._free.plus(self._needed(job))
                self._start_next()
            self._tell_ends()
        with self._lock:
            self._threads.discard(threading.current_thread())

    def _finish(self, job: Job, status: Status, reason: str) -> None:
        job.end(status, reason)
        try:
            self._ended[job.id] = job.detail()
            del self._jobs[job.id]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise  # on a full disk the job stays in memory
        self._untold.append(job)

    def _tell_ends(self) -> None:
        """Call the listeners, which may take their time: without the lock."""
        while self._untold:
            job = self._untold.popleft()
            for listener in self._listeners:
                listener(job)
