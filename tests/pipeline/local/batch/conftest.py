"""Provide an AWS Batch of this computer, whose jobs do what they are told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.local.batch.batch_host import BatchHost, Room
from pipeline.local.batch.definition import JobDefinition, JobQueue
from pipeline.local.batch.job import Job
from pipeline.local.source_launcher import SourceLauncher
from pipeline.local.worker import Function
from tests.conftest import ROOT

PATIENCE_S = 30
UPLOADS, BACKFILL = JobQueue("uploads", 2), JobQueue("backfill", 1)


def definition(*command: str, memory_mb: int = 512, timeout_s: float = 60) -> JobDefinition:
    """Return a definition of jobs that take one CPU core and obey this command."""
    function = Function("obedient", "no.handler", memory_mb=memory_mb, timeout_s=timeout_s)
    module = f"{__package__}.obedient"
    return JobDefinition(function, 1, "/aws/batch/obedient", command=(module, *command))


@dataclass(frozen=True)
class Desk:
    """Submits jobs and waits for what becomes of them."""

    host: BatchHost

    def submit(self, *command: str, queue: JobQueue = UPLOADS, **limits: Any) -> str:
        job = Job(definition(*command, **limits), queue, "test")
        self.host.submit(job)
        return job.id

    def run(self, *command: str, **limits: Any) -> dict[str, Any]:
        return self.ended(self.submit(*command, **limits))

    def ended(self, job_id: str) -> dict[str, Any]:
        return self.once(job_id, lambda job: job["status"] in {"SUCCEEDED", "FAILED"})

    def running(self, job_id: str) -> dict[str, Any]:
        return self.once(job_id, lambda job: job["status"] == "RUNNING")

    def once(self, job_id: str, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_S
        while not ((job := self.host.detail(job_id)) and is_so(job)):
            assert time.monotonic() < deadline, job
            time.sleep(0.02)
        return job


def wait_until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[BatchHost]:
    (tmp_path / "logs").mkdir()
    host = BatchHost(
        [definition("exit", "Ref::status")],
        [UPLOADS, BACKFILL],
        launcher=SourceLauncher(ROOT),
        logs=tmp_path / "logs",
        room=Room(vcpus=2, memory_mb=4_096),
    )
    yield host
    host.stop()


@pytest.fixture
def desk(host: BatchHost) -> Desk:
    return Desk(host)
