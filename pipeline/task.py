"""Turn a plain function into a Lambda handler: parse, run, dump.

Among the modules of a task, only this one reads settings from the environment.
"""

from __future__ import annotations

import functools
import inspect
import operator
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import TypeAdapter

from pipeline.aws.s3 import S3Store
from pipeline.contracts.contract import Job, Provenance, PublishedJob, Result
from pipeline.declared.containers import ContainerManifest, load_container
from pipeline.errors import OutOfMemory
from pipeline.observed import BATCH_TIME, LAMBDA_TIME, Call, Handler, observed
from pipeline.parallel import sharing
from pipeline.workbench import Settings, TaskContext, Workbench, require_latest

_LOGGED_FIELDS: Final = ("execution", "job_id", "model")
BATCH_VERSION: Final = "batch"  # of the context that a job of AWS Batch has for a function's
_BENCHES: Final[dict[Path, Workbench]] = {}


def task(*job_types: type[Job]) -> Callable[[Callable[[Any, TaskContext], Result]], Handler]:
    """Make `run(job, context) -> result` the Lambda handler of the container it is written in.

    A former job type may be accepted next to the present one while its machine is replaced.
    """
    jobs: TypeAdapter[Job] = TypeAdapter(functools.reduce(operator.or_, job_types))

    def decorate(run: Callable[[Any, TaskContext], Result]) -> Handler:
        folder = Path(inspect.getfile(run)).parent
        manifest = load_container(folder)

        def perform(event: dict[str, Any], call: Call) -> dict[str, Any]:
            left_s = call.lambda_context.get_remaining_time_in_millis() / 1000
            ends_at = time.monotonic() + left_s
            bench = workbench_of(folder.parents[1])
            call.logger.append_keys(**_logged(event))
            job = jobs.validate_python(event)
            context = TaskContext(bench, ends_at=ends_at)
            try:
                with sharing(bench.settings.threads):
                    result = _with_named_memory_errors(run, job, context)
                if isinstance(job, PublishedJob) and job.follows_latest:
                    require_latest(bench.store, job.source)
            finally:
                call.logger.append_keys(**context.notes)
            figures = call.process_figures("task_ms")
            spent = _spent(call.lambda_context, bench.settings, figures["task_ms"] / 1000)
            measured = context.timings | figures | spent | result.metrics
            provenance = provenance_of(manifest, bench.settings)
            call.done(measured)
            whole = result.model_copy(update={"metrics": measured, "provenance": provenance})
            return whole.model_dump(mode="json", by_alias=True)

        return functools.wraps(run)(observed(manifest, perform))

    return decorate


def _with_named_memory_errors(
    run: Callable[[Any, TaskContext], Result], job: Job, context: TaskContext
) -> Result:
    try:
        return run(job, context)
    except MemoryError as error:
        raise OutOfMemory("the file and the model together need more memory") from error


def equip(bench: Workbench) -> None:
    """Let the tasks under `bench.root` work with this, and not with what the environment says."""
    _BENCHES[bench.root] = bench


def workbench_of(root: Path) -> Workbench:
    """Return the workbench of the tasks under `root`: the equipped one, else the environment's."""
    if root not in _BENCHES:
        settings = Settings.from_environment(os.environ)
        equip(Workbench(root=root, settings=settings, store=S3Store.connect()))
    return _BENCHES[root]


def _spent(context: LambdaContext, settings: Settings, seconds: float) -> dict[str, float]:
    """Return what a call took: GB-seconds of Lambda, or vCPU-seconds of a job of AWS Batch."""
    if context.function_version == BATCH_VERSION:
        return {BATCH_TIME: round(seconds * settings.threads, 3)}
    return {LAMBDA_TIME: round(seconds * int(context.memory_limit_in_mb) / 1024, 3)}


def _logged(event: dict[str, Any]) -> dict[str, str]:
    return {name: event[name] for name in _LOGGED_FIELDS if name in event}


def provenance_of(manifest: ContainerManifest, settings: Settings) -> Provenance:
    """Return which container, and which image of it, makes a result."""
    return Provenance(
        container=manifest.name, version=manifest.version, image_digest=settings.image_digest
    )
