"""Make moto 5.2.5 end jobs of AWS Batch with the tasks that wait for them.

As in `compat`, the function fixes one defect; the same tests show that it is needed.
"""

from __future__ import annotations

from typing import Any, Final

from pipeline.local.moto.interpreter import (
    boto_client,
    state_task_service_batch,
    state_task_service_callback,
)

_BatchTask: Final = state_task_service_batch.StateTaskServiceBatch
_Callback: Final = state_task_service_callback.StateTaskServiceCallback
REASON: Final = "the state machine waits for this job no longer"


def apply() -> None:
    """Apply the patch; `compat.apply` calls this once per process."""
    _stop_jobs()


def _stop_jobs() -> None:
    """A job that a task waits for goes on when the task is stopped or times out."""
    build, wait = _BatchTask._build_sync_resolver, _Callback._eval_sync

    def built(self: Any, env: Any, **options: Any) -> Any:
        job_id = env.stack[-1]["JobId"]
        resolver = build(self, env, **options)
        resolver.job = job_id, options
        return resolver

    def waited(self: Any, env: Any, sync_resolver: Any, **options: Any) -> Any:
        outcome = wait(self, env, sync_resolver, **options)
        job = getattr(sync_resolver, "job", None)
        if job and outcome is None and not env.is_running():
            job_id, called = job
            boto_client.boto_client_for(
                service="batch",
                region=called["resource_runtime_part"].region,
                state_credentials=called["state_credentials"],
            ).terminate_job(jobId=job_id, reason=REASON)
        return outcome

    _BatchTask._build_sync_resolver = built
    _Callback._eval_sync = waited
