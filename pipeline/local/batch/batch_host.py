"""Run jobs of AWS Batch on this computer: queued by lane, as many at once as it has room for."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pipeline.local.batch.attempt import EXITED, Attempt, Ended, Limits
from pipeline.local.batch.definition import JobDefinition, JobQueue
from pipeline.local.batch.job import Job
from pipeline.local.moto.shelf import Shelf
from pipeline.local.worker import ALIKE, Launcher

Listener = Callable[[str], None]
COMPUTE_ENVIRONMENT: Final = "this-computer"


class BatchHost:
    """Every queue, and the jobs in it. Ended jobs are kept on disk until the cloud stops.

    A job takes `vcpus` of the computer, or all of them. A job that does not fit waits, and so do
    all behind it.
    """

    def __init__(
        self,
        definitions: Iterable[JobDefinition],
        queues: Iterable[JobQueue],
        *,
        launcher: Launcher,
        logs: Path,
        vcpus: int,
    ) -> None:
        self.definitions: Final = {each.name: each for each in definitions}
        self.queues: Final = {each.name: each for each in queues}
        self._launcher = launcher
        self._logs = logs
        self._vcpus = self._free = vcpus
        self._lock = threading.RLock()
        self._order = itertools.count()
        self._waiting: list[tuple[int, int, Job]] = []
        self._jobs: dict[str, Job] = {}
        self._ended = Shelf()
        self._threads: set[threading.Thread] = set()
        self._listeners: list[Listener] = []
        self._stopped = False

    def listen(self, listener: Listener) -> None:
        """Call `listener` with the id of every job that ends."""
        self._listeners.append(listener)

    def submit(self, job: Job) -> None:
        with self._lock:
            self._jobs[job.id] = job
            heapq.heappush(self._waiting, (-job.queue.priority, next(self._order), job))
            self._start_next()

    def details(self, ids: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Yield each job as DescribeJobs does; skip unknown ones."""
        with self._lock:
            for each in ids:
                if each in self._jobs:
                    yield self._jobs[each].detail()
                elif each in self._ended:
                    yield self._ended[each]

    def end(self, job_id: str, reason: str, *, also_running: bool) -> None:
        """Cancel a job that has not started; with `also_running`, kill it if it has."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None:
                return
            if job.running and also_running:
                job.terminated, job.status_reason = True, reason
                job.running.kill()
            elif not job.running:
                job.cancelled, job.terminated = True, also_running
                self._waiting = [each for each in self._waiting if each[2] is not job]
                heapq.heapify(self._waiting)
                self._finish(job, "FAILED", reason)

    def pids(self) -> list[int]:
        with self._lock:
            return [job.running.pid for job in self._jobs.values() if job.running]

    def stop(self) -> None:
        """Kill every job, and wait for its end."""
        with self._lock:
            self._stopped = True
            for job in list(self._jobs.values()):
                self.end(job.id, "the cloud stops", also_running=True)
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def _start_next(self) -> None:
        while self._waiting and not self._stopped:
            job = self._waiting[0][2]
            if self._taken(job) > self._free:
                return
            heapq.heappop(self._waiting)
            self._free -= self._taken(job)
            thread = threading.Thread(target=self._run, args=(job,), daemon=True)
            self._threads.add(thread)
            thread.start()

    def _taken(self, job: Job) -> int:
        return min(job.definition.vcpus, self._vcpus)

    def _run(self, job: Job) -> None:
        """Start the attempts of a job, one after the other, and finish it."""
        ended = Ended(1, EXITED)
        for number in itertools.count(1):
            with self._lock:
                if job.terminated or self._stopped:
                    break
                job.running = self._attempt(job, number)
                job.begin()
            ended = job.running.wait()
            with self._lock:
                job.running = None
                job.note(ended)
                if job.terminated or ended.exit_code == 0:
                    break
                if not job.definition.tries_again_after(ended, number):
                    break
        with self._lock:
            succeeded = ended.exit_code == 0 and not job.terminated
            self._free += self._taken(job)
            self._threads.discard(threading.current_thread())
            reason = job.status_reason if job.terminated else ended.status_reason
            self._finish(job, "SUCCEEDED" if succeeded else "FAILED", reason)
            self._start_next()

    def _attempt(self, job: Job, number: int) -> Attempt:
        definition = job.definition
        environment = self._environment(job, number)
        function = definition.function
        command = self._launcher.job(function, job.command(), environment)
        limits = Limits(function.memory_mb, function.timeout_s)
        with (self._logs / f"{definition.name}.batch.log").open("ab") as log:
            return Attempt(command, limits, log)

    def _environment(self, job: Job, number: int) -> Mapping[str, str]:
        definition = job.definition
        return {
            **ALIKE,
            "AWS_LAMBDA_FUNCTION_NAME": definition.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(definition.function.memory_mb),
            "AWS_BATCH_JOB_ID": job.id,
            "AWS_BATCH_JOB_ATTEMPT": str(number),
            "AWS_BATCH_JQ_NAME": job.queue.name,
            "AWS_BATCH_CE_NAME": COMPUTE_ENVIRONMENT,
            "MATTELINE_THREADS": str(self._taken(job)),
            **definition.function.environment,
            **job.environment,
        }

    def _finish(self, job: Job, status: Any, reason: str) -> None:
        job.end(status, reason)
        self._ended[job.id] = job.detail()
        del self._jobs[job.id]
        for listener in self._listeners:
            listener(job.id)
