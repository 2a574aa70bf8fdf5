"""Define the dashboard: a section for each product, then the platform's own graphs."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.metrics import (
    execution_metric,
    function_metric,
    quarantined,
    task_metric,
    undelivered,
)
from infra.product_rows import ProductRows
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import VECTOR_INDEX, Names

_OUTCOMES: Final = (
    "ExecutionsStarted",
    "ExecutionsSucceeded",
    "ExecutionsFailed",
    "ExecutionsTimedOut",
    "ExecutionsAborted",
    "ExecutionThrottled",
)
# By the metric of the vector index, and how it is added up.
_COLLECTIONS: Final = {
    "search_ms": "SampleCount",
    "enrolled": "Sum",
    "forgotten": "Sum",
    "erased": "Sum",
    "overdue": "Maximum",
}
_WIDTH: Final = 12
_DAY: Final = 24 * 60  # minutes
_MB_MS_PER_GB_S: Final = 1024 * 1000


class Dashboard(Construct):
    """Rows of graphs, which follow from the declared products, machines, containers and queues.

    It is one dashboard, because an account has three without charge.
    """

    def __init__(self, scope: Construct, *, blueprint: Blueprint, names: Names) -> None:
        super().__init__(scope, "Dashboard")
        self._blueprint, self._names = blueprint, names
        board = cloudwatch.Dashboard(
            self,
            "Board",
            dashboard_name=names.prefix,
            default_interval=cdk.Duration.hours(12),
        )
        for product in blueprint.products:
            for row in ProductRows(product, blueprint=blueprint, names=names).widgets():
                board.add_widgets(*row)
        board.add_widgets(cloudwatch.TextWidget(markdown="## Platform", width=2 * _WIDTH, height=1))
        machines = {product.machine for product in blueprint.products}
        board.add_widgets(
            *(self._outcomes(name) for name in blueprint.definitions if name not in machines)
        )
        board.add_widgets(self._waiting(), self._cost())
        board.add_widgets(_collections())
        for container in (each.name for each in blueprint.containers):
            board.add_widgets(_durations(container), _memory(container))
            board.add_widgets(self._trouble(container))

    def _outcomes(self, machine: str) -> cloudwatch.GraphWidget:
        lines = [execution_metric(self._names, machine, outcome) for outcome in _OUTCOMES]
        return _graph(f"{machine}: executions", lines)

    def _waiting(self) -> cloudwatch.GraphWidget:
        machines = (*self._blueprint.triggers(self._names), *self._blueprint.schedules)
        aside = [quarantined(self._names, machine) for machine in self._blueprint.claiming]
        queues = [undelivered(self._names, machine) for machine in machines]
        return _graph("Quarantined inputs, undelivered events", [*aside, *queues])

    def _cost(self) -> cloudwatch.GraphWidget:
        """Graph the GB-seconds that Lambda bills, by container."""
        lines = []
        for container in self._blueprint.containers:
            spent = {
                f"f{number}_{each.memory_mb}": function_metric(
                    each.name(self._names), "Duration", statistic="Sum"
                )
                for number, each in enumerate(self._blueprint.functions)
                if each.manifest == container
            }
            terms = [f"FILL({name}, 0) * {name.partition('_')[2]}" for name in spent]
            lines.append(
                cloudwatch.MathExpression(
                    expression=f"({' + '.join(terms)}) / {_MB_MS_PER_GB_S}",
                    using_metrics=spent,
                    label=container.name,
                )
            )
        return _graph("Lambda: GB-seconds", lines, stacked=True)

    def _trouble(self, container: str) -> cloudwatch.GraphWidget:
        functions = [
            each.name(self._names)
            for each in self._blueprint.functions
            if each.manifest.name == container
        ]
        lines = [
            function_metric(function, metric, statistic="Sum")
            for function in functions
            for metric in ("Errors", "Throttles")
        ]
        return _graph(f"{container}: errors and throttles", lines, width=2 * _WIDTH)


def _collections() -> cloudwatch.GraphWidget:
    """Graph searches, and vectors that were enrolled, forgotten and erased, each day."""
    lines = [
        task_metric(VECTOR_INDEX, metric, statistic=statistic, minutes=_DAY)
        for metric, statistic in _COLLECTIONS.items()
    ]
    return _graph("Collections: searches and vectors a day", lines, width=2 * _WIDTH)


def _durations(container: str) -> cloudwatch.GraphWidget:
    lines = [task_metric(container, "task_ms", statistic=each) for each in ("p50", "p99")]
    return _graph(f"{container}: task duration, ms", lines)


def _memory(container: str) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=f"{container}: peak memory, MB; cold starts",
        left=[task_metric(container, "peak_rss_mb", statistic="Maximum")],
        right=[task_metric(container, "cold_start", statistic="Sum")],
        width=_WIDTH,
    )


def _graph(
    title: str,
    lines: list[cloudwatch.IMetric] | list[cloudwatch.Metric] | list[cloudwatch.MathExpression],
    *,
    stacked: bool = False,
    width: int = _WIDTH,
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(lines), stacked=stacked, width=width)
