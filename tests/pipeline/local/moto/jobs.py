"""What becomes of a job of AWS Batch whose task waits for it no longer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from moto.stepfunctions.parser.asl.utils import boto_client

from pipeline.local.moto.interpreter import state_task_service_batch


class _Batch:
    """AWS Batch with one job, which runs until somebody ends it."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    def describe_jobs(self, jobs: list[str]) -> Any:
        return {"jobs": [{"jobId": each, "status": "RUNNING"} for each in jobs]}

    def terminate_job(self, *, jobId: str, reason: str) -> None:  # noqa: N803 - as boto3's
        assert reason
        self.ended.append(jobId)


def job_goes_on() -> bool:
    """Return True if a job still runs after the execution whose task waits for it was stopped."""
    batch, before = _Batch(), boto_client.boto3
    boto_client.boto3 = SimpleNamespace(client=lambda **_: batch)
    task = state_task_service_batch.StateTaskServiceBatch.__new__(
        state_task_service_batch.StateTaskServiceBatch
    )
    env: Any = SimpleNamespace(stack=[{"JobId": "j"}], is_running=lambda: False)
    try:
        resolver = task._build_sync_resolver(
            env=env,
            resource_runtime_part=SimpleNamespace(account="1", region="us-east-1"),
            normalised_parameters={},
            state_credentials=None,
        )
        task._eval_sync(
            env=env,
            sync_resolver=resolver,
            timeout_seconds=60,
            callback_endpoint=None,
            heartbeat_endpoint=None,
        )
    finally:
        boto_client.boto3 = before
    return batch.ended != ["j"]
