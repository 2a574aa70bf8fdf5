"""What turns a plain function into a Lambda handler: parse, run, dump.

Logging, metrics, tracing and the error policy live here and nowhere else, and this is the only
module of a container that reads the environment.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import operator
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import TypeAdapter

from pipeline import hardware
from pipeline.aws.s3 import S3Store
from pipeline.contracts.contract import Job, Provenance, PublishedJob, Result
from pipeline.declared.containers import ContainerManifest, load_container
from pipeline.errors import OutOfMemory, PermanentError, PipelineError, WeightsClaimed
from pipeline.workbench import Settings, TaskContext, Workbench, ms_since, require_latest

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]

_LOGGED_FIELDS: Final = ("execution", "job_id", "model")
_NAMESPACE: Final = "Matteline"
_BENCHES: Final[dict[Path, Workbench]] = {}


def task(*job_types: type[Job]) -> Callable[[Callable[[Any, TaskContext], Result]], Handler]:
    """Make `run(job, context) -> result` the Lambda handler of the container it is written in.

    A former job type may be accepted next to the present one while its machine is replaced.
    """
    jobs: TypeAdapter[Job] = TypeAdapter(functools.reduce(operator.or_, job_types))

    def decorate(run: Callable[[Any, TaskContext], Result]) -> Handler:
        folder = Path(inspect.getfile(run)).parent
        manifest = load_container(folder)

        def perform(event: dict[str, Any], logger: Logger, *, cold: bool) -> Result:
            ends_at = time.monotonic() + manifest.timeout_s
            bench = _workbench(folder.parents[1])
            started = time.perf_counter()
            logger.append_keys(**_logged(event))
            job = jobs.validate_python(event)
            context = TaskContext(bench, ends_at=ends_at)
            try:
                result = _with_named_memory_errors(run, job, context)
                if isinstance(job, PublishedJob) and job.follows_latest:
                    require_latest(bench.store, job.source)
            finally:
                logger.append_keys(**context.notes)
            measured = context.timings | _process_figures(started, cold=cold) | result.metrics
            provenance = _provenance(manifest, bench.settings)
            return result.model_copy(update={"metrics": measured, "provenance": provenance})

        return functools.wraps(run)(_observed(manifest, perform))

    return decorate


def _observed(manifest: ContainerManifest, perform: Callable[..., Result]) -> Handler:
    """Wrap `perform` in the container's logger and metrics, and in its tracer where sampled."""
    logger = Logger(service=manifest.name, version=manifest.version)
    metrics = Metrics(namespace=_NAMESPACE, service=manifest.name)
    calls = itertools.count()

    @logger.inject_lambda_context(clear_state=True)
    @metrics.log_metrics
    @_traced(manifest.name)
    def observed(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        logger.append_keys(container=manifest.name, version=manifest.version)
        try:
            result = perform(event, logger, cold=next(calls) == 0)
        except Exception as error:
            metrics.add_metric(f"{type(error).__name__}", MetricUnit.Count, 1)
            _log_failure(logger, error)
            _count_refusal(context.function_name, error)
            raise
        for name, value in result.metrics.items():
            metrics.add_metric(name, _unit(name), value)
        logger.info("done", extra={"metrics": result.metrics})
        return result.model_dump(mode="json", by_alias=True)

    return cast("Handler", observed)


def _traced(service: str) -> Callable[[Handler], Handler]:
    """Trace the calls X-Ray samples: its SDK takes as long to load as numpy, so no other does."""

    def decorate(handler: Handler) -> Handler:
        @functools.cache
        def with_tracer() -> Handler:
            tracer = Tracer(service=service)
            return cast("Handler", tracer.capture_lambda_handler(handler, capture_response=False))

        @functools.wraps(handler)
        def traced(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
            sampled = "Sampled=1" in os.environ.get("_X_AMZN_TRACE_ID", "")
            return (with_tracer() if sampled else handler)(event, context)

        return traced

    return decorate


def _log_failure(logger: Logger, error: Exception) -> None:
    """One line for a failure with a name; a bug brings its trace."""
    if isinstance(error, PipelineError):
        logger.warning(error.message, extra={"error": type(error).__name__, "hint": error.hint})
    else:
        logger.error("unexpected error", exc_info=error, extra={"error": type(error).__name__})


def _count_refusal(function: str, error: Exception) -> None:
    """Lambda counts every error; that of a photo, or of who has to wait, is not the function's."""
    if isinstance(error, PermanentError | WeightsClaimed):
        with single_metric("refused", MetricUnit.Count, 1, namespace=_NAMESPACE) as refused:
            refused.add_dimension("function_name", function)


def _with_named_memory_errors(
    run: Callable[[Any, TaskContext], Result], job: Job, context: TaskContext
) -> Result:
    try:
        return run(job, context)
    except MemoryError as error:
        raise OutOfMemory("the photo and the model together need more memory") from error


def equip(bench: Workbench) -> None:
    """Let the tasks under `bench.root` work with this, and not with what the environment says."""
    _BENCHES[bench.root] = bench


def _workbench(root: Path) -> Workbench:
    if root not in _BENCHES:
        settings = Settings.from_environment(os.environ)
        equip(Workbench(root=root, settings=settings, store=S3Store.connect()))
    return _BENCHES[root]


def _logged(event: dict[str, Any]) -> dict[str, str]:
    return {name: event[name] for name in _LOGGED_FIELDS if name in event}


def _provenance(manifest: ContainerManifest, settings: Settings) -> Provenance:
    return Provenance(
        container=manifest.name, version=manifest.version, image_digest=settings.image_digest
    )


def _process_figures(started: float, *, cold: bool) -> dict[str, float]:
    return {
        "task_ms": ms_since(started),
        "peak_rss_mb": hardware.peak_mb(),
        "cold_start": float(cold),
    }


def _unit(metric: str) -> MetricUnit:
    if metric.endswith("_ms"):
        return MetricUnit.Milliseconds
    return MetricUnit.Megabytes if metric.endswith("_mb") else MetricUnit.NoUnit
