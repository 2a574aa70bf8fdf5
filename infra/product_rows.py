"""Define a product's section of the dashboard: how much, how fast, how well, and at what cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.metrics import (
    execution_metric,
    fallbacks,
    falling_back,
    function_metric,
    quarantined,
    task_metric,
)
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.costs import DOLLARS_PER_GB_S
from pipeline.declared.names import Names
from pipeline.declared.products import Product

_OUTCOMES: Final = (
    "ExecutionsStarted",
    "ExecutionsSucceeded",
    "ExecutionsFailed",
    "ExecutionsTimedOut",
    "ExecutionsAborted",
)
_WIDTH: Final = 12
_HOUR: Final = 60  # minutes: costs are added up by the hour
_HOUR_S: Final = 3600
_MB_MS_PER_GB_S: Final = 1024 * 1000
# The container that measures recordings: its `duration_s` is how long each one is.
_LISTENER: Final = "audio-reader"
_DURATION: Final = "duration_s"


class ProductRows:
    """The widgets of one product. Its containers are those that its state machine invokes.

    What it shares with other products counts by its share of all executions.
    """

    def __init__(self, product: Product, *, blueprint: Blueprint, names: Names) -> None:
        self._product, self._blueprint, self._names = product, blueprint, names
        self._containers = sorted(blueprint.invoked(product.machine))

    def widgets(self) -> list[list[cloudwatch.IWidget]]:
        """Return the rows, with a title above."""
        name = self._product.name
        return [
            [cloudwatch.TextWidget(markdown=f"## {name}", width=2 * _WIDTH, height=1)],
            [self._throughput(), self._rates()],
            [
                self._times("task duration, ms", "task_ms", self._containers),
                self._times("loading a model, ms", "model_load_ms", self._loading()),
            ],
            [self._cold_starts(), self._cost()],
        ]

    def _title(self, what: str) -> str:
        return f"{self._product.name}: {what}"

    def _throughput(self) -> cloudwatch.GraphWidget:
        machine = self._product.machine
        lines = [execution_metric(self._names, machine, outcome) for outcome in _OUTCOMES]
        return cloudwatch.GraphWidget(title=self._title("executions"), left=lines, width=_WIDTH)

    def _rates(self) -> cloudwatch.GraphWidget:
        machine = self._product.machine
        counted = {"quarantined": quarantined(self._names, machine, minutes=_HOUR)}
        if machine in falling_back(self._blueprint):
            counted["fallbacks"] = fallbacks(self._names, machine, minutes=_HOUR)
        lines = [
            _expression(
                f"100 * FILL({name}, 0) / {name}_of",
                {name: metric, f"{name}_of": self._started(machine)},
                label=f"{name}, %",
            )
            for name, metric in counted.items()
        ]
        return cloudwatch.GraphWidget(
            title=self._title("quarantined, and with a fallback"), left=lines, width=_WIDTH
        )

    def _times(self, what: str, metric: str, containers: Sequence[str]) -> cloudwatch.GraphWidget:
        lines = [
            task_metric(container, metric, statistic=statistic).with_(
                label=f"{container} {statistic}"
            )
            for container in containers
            for statistic in ("p50", "p95")
        ]
        return cloudwatch.GraphWidget(title=self._title(what), left=lines, width=_WIDTH)

    def _loading(self) -> list[str]:
        """Return the containers that load a model."""
        return [
            each.name
            for each in self._blueprint.containers
            if each.name in self._containers and each.function_per_model
        ]

    def _cold_starts(self) -> cloudwatch.GraphWidget:
        lines = [
            _expression(
                f"100 * cold_{number} / calls_{number}",
                {
                    f"cold_{number}": _hourly(container, "cold_start", "Sum"),
                    f"calls_{number}": _hourly(container, "cold_start", "SampleCount"),
                },
                label=container,
            )
            for number, container in enumerate(self._containers)
        ]
        title = self._title("cold starts, % of calls")
        return cloudwatch.GraphWidget(title=title, left=lines, width=_WIDTH)

    def _cost(self) -> cloudwatch.GraphWidget:
        """Graph what Lambda takes for 1,000 executions, and for an hour of sound."""
        succeeded = execution_metric(
            self._names, self._product.machine, "ExecutionsSucceeded", minutes=_HOUR
        )
        left = [self._per("1,000 executions", "1000 / done", {"done": succeeded})]
        right = []
        if _LISTENER in self._containers:
            heard = _hourly(_LISTENER, _DURATION, "Sum")
            right = [self._per("hour of sound", f"{_HOUR_S} / heard", {"heard": heard})]
        return cloudwatch.GraphWidget(
            title=self._title("Lambda, $"), left=left, right=right, width=_WIDTH
        )

    def _per(
        self, what: str, factor: str, given: dict[str, cloudwatch.IMetric]
    ) -> cloudwatch.MathExpression:
        spent = {
            f"spent_{number}": self._gb_seconds(container, number)
            for number, container in enumerate(self._containers)
        }
        return _expression(
            f"({' + '.join(spent)}) * {DOLLARS_PER_GB_S:.10f} * {factor}",
            {**spent, **given},
            label=f"$ per {what}",
        )

    def _gb_seconds(self, container: str, number: int) -> cloudwatch.MathExpression:
        """Return the GB-seconds of a container's functions, or this product's share of them."""
        functions = {
            f"f{number}_{place}_{each.memory_mb}": function_metric(
                each.name(self._names), "Duration", statistic="Sum", minutes=_HOUR
            )
            for place, each in enumerate(self._blueprint.functions)
            if each.manifest.name == container
        }
        terms = [f"FILL({name}, 0) * {name.rpartition('_')[2]}" for name in functions]
        share, started = self._share(container, number)
        return _expression(
            f"({' + '.join(terms)}) / {_MB_MS_PER_GB_S}{share}",
            {**functions, **started},
            label=container,
        )

    def _share(self, container: str, number: int) -> tuple[str, dict[str, cloudwatch.IMetric]]:
        machines = [
            product.machine
            for product in self._blueprint.products
            if container in self._blueprint.invoked(product.machine)
        ]
        if len(machines) == 1:
            return "", {}
        started: dict[str, cloudwatch.IMetric] = {
            f"s{number}_{place}": self._started(machine) for place, machine in enumerate(machines)
        }
        own = f"s{number}_{machines.index(self._product.machine)}"
        everybody = " + ".join(f"FILL({name}, 0)" for name in started)
        return f" * FILL({own}, 0) / ({everybody})", started

    def _started(self, machine: str) -> cloudwatch.Metric:
        return execution_metric(self._names, machine, "ExecutionsStarted", minutes=_HOUR)


def _hourly(container: str, metric: str, statistic: str) -> cloudwatch.Metric:
    return task_metric(container, metric, statistic=statistic, minutes=_HOUR)


def _expression(
    expression: str, metrics: dict[str, cloudwatch.IMetric], *, label: str
) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(
        expression=expression,
        using_metrics=metrics,
        label=label,
        period=cdk.Duration.minutes(_HOUR),
    )
