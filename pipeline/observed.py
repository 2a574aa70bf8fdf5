"""Observe the calls of a container: log and metrics of each, and a trace if it is sampled.

The error policy lives here too: what is a warning, what is a bug, what is not the function's fault.
"""

from __future__ import annotations

import functools
import itertools
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext

from pipeline import hardware
from pipeline.declared.containers import ContainerManifest
from pipeline.errors import NamedError, PermanentError, WeightsClaimed
from pipeline.traces import trace_of

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]

_NAMESPACE: Final = "Matteline"
_TRACE: Final = "trace_id"
# What a call took, as AWS bills it. CloudWatch would bill each as one more metric of a container.
LAMBDA_TIME: Final = "gb_s"
BATCH_TIME: Final = "vcpu_s"
_LOGGED_ONLY: Final = frozenset({LAMBDA_TIME, BATCH_TIME})


@dataclass(frozen=True)
class Call:
    """One call of a function: its log, its metrics, and its clock."""

    logger: Logger
    metrics: Metrics
    lambda_context: LambdaContext
    cold: bool
    started: float = field(default_factory=time.perf_counter)

    def process_figures(self, clock: str) -> dict[str, float]:
        """Return the time since the call began, in ms by the name `clock`, and the process's."""
        return {
            clock: round((time.perf_counter() - self.started) * 1000, 3),
            "peak_rss_mb": hardware.peak_mb(),
            "cold_start": float(self.cold),
        }

    def done(self, figures: Mapping[str, float]) -> None:
        """Publish the figures as metrics, but for what only the log and the record need."""
        for name, value in figures.items():
            if name not in _LOGGED_ONLY:
                self.metrics.add_metric(name, _unit(name), value)
        self.logger.info("done", extra={"metrics": figures})

    def failed(self, error: Exception) -> None:
        """Count an error by its name, and log it: as a bug with its trace, unless it is named."""
        name = type(error).__name__
        self.metrics.add_metric(name, MetricUnit.Count, 1)
        if isinstance(error, NamedError):
            self.logger.warning(error.message, extra={"error": name, "hint": error.hint})
        else:
            self.logger.error("unexpected error", exc_info=error, extra={"error": name})


def observed(
    manifest: ContainerManifest, perform: Callable[[dict[str, Any], Call], dict[str, Any]]
) -> Handler:
    """Return `perform` as a handler with the container's log and metrics, traced where sampled."""
    logger = Logger(service=manifest.name, version=manifest.version)
    metrics = Metrics(namespace=_NAMESPACE, service=manifest.name)
    calls = itertools.count()

    @logger.inject_lambda_context(clear_state=True)
    @metrics.log_metrics
    @_traced(manifest.name)
    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        logger.append_keys(container=manifest.name, version=manifest.version)
        if trace := trace_of(event):
            logger.append_keys(**{_TRACE: trace})
        call = Call(logger, metrics, context, cold=next(calls) == 0)
        try:
            return perform(event, call)
        except Exception as error:
            call.failed(error)
            _count_refusal(context.function_name, error)
            raise

    return cast("Handler", handler)


def _traced(service: str) -> Callable[[Handler], Handler]:
    """Trace the calls that X-Ray samples; no other loads its SDK, which takes as long as numpy."""

    def decorate(handler: Handler) -> Handler:
        @functools.cache
        def with_tracer() -> Handler:
            tracer = Tracer(service=service)

            def annotated(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
                if trace := trace_of(event):
                    tracer.put_annotation(_TRACE, trace)
                return handler(event, context)

            return cast("Handler", tracer.capture_lambda_handler(annotated, capture_response=False))

        @functools.wraps(handler)
        def traced(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
            sampled = "Sampled=1" in os.environ.get("_X_AMZN_TRACE_ID", "")
            return (with_tracer() if sampled else handler)(event, context)

        return traced

    return decorate


def _count_refusal(function: str, error: Exception) -> None:
    """Count an error of which the function is not the cause: Lambda's own count has every error."""
    if isinstance(error, PermanentError | WeightsClaimed):
        with single_metric("refused", MetricUnit.Count, 1, namespace=_NAMESPACE) as refused:
            refused.add_dimension("function_name", function)


def _unit(metric: str) -> MetricUnit:
    if metric.endswith("_ms"):
        return MetricUnit.Milliseconds
    return MetricUnit.Megabytes if metric.endswith("_mb") else MetricUnit.NoUnit
