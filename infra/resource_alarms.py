"""Define alarms on resources that executions use: weights, memory, concurrency and tables."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.alarms import Alarms
from infra.metrics import function_metric, task_metric
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names
from pipeline.declared.resources import Resources

_CONCURRENCY_QUOTA: Final = 1000  # an account's default quota
_FULL: Final = 0.8
_MOST_METRICS: Final = 10  # that CloudWatch adds up in one alarm


def add_resource_alarms(alarms: Alarms, blueprint: Blueprint, names: Names) -> None:
    names_of_containers = [each.name for each in blueprint.containers]
    for start in range(0, len(names_of_containers), _MOST_METRICS):
        containers = names_of_containers[start : start + _MOST_METRICS]
        others = f"-{start // _MOST_METRICS + 1}" if start else ""
        alarms.add(
            f"weights-mismatch{others}",
            _raised("WeightsMismatch", containers),
            above=0,
            meaning="Weights did not match their checksum and were not loaded.",
            section="weights-mismatch",
        )
        alarms.add(
            f"out-of-memory{others}",
            _raised("OutOfMemory", containers),
            above=0,
            meaning="A file and a model together needed more memory than their function has.",
            section="out-of-memory",
        )
    alarms.add(
        "concurrency",
        cloudwatch.Metric(
            namespace="AWS/Lambda", metric_name="ConcurrentExecutions", statistic="Maximum"
        ),
        above=_FULL * _CONCURRENCY_QUOTA,
        of_periods=(2, 3),
        meaning="The account's functions use more than 80% of the default concurrency quota.",
        section="concurrency",
    )
    _add_for_tables(alarms, blueprint.resources, names)


def add_operation_alarm(alarms: Alarms, blueprint: Blueprint, names: Names) -> None:
    """Add one alarm over the zipped functions that should never fail."""
    watched = [each for each in blueprint.operations(names) if not each.operation.errors_retried]
    failed = {
        f"f{number}": function_metric(each.function(names), "Errors", statistic="Sum")
        for number, each in enumerate(watched)
    }
    alarms.add(
        "operations-failing",
        _sum(failed, label="errors"),
        above=0,
        meaning="A function that checks images, authorises keys or plans webhooks failed.",
        section="operations-failing",
    )


def _add_for_tables(alarms: Alarms, resources: Resources, names: Names) -> None:
    for table in resources.tables:
        throttled = {
            event: cloudwatch.Metric(
                namespace="AWS/DynamoDB",
                metric_name=f"{event.capitalize()}ThrottleEvents",
                dimensions_map={"TableName": names.table(table)},
                statistic="Sum",
            )
            for event in ("read", "write")
        }
        alarms.add(
            f"{table}-table-throttled",
            _sum(throttled, label="throttled requests"),
            above=0,
            of_periods=(2, 3),
            meaning=f"DynamoDB throttles requests to the {table} table.",
            section="table-throttled",
        )


def _raised(error: str, containers: list[str]) -> cloudwatch.MathExpression:
    """Count how often any of the containers raised the error."""
    raised = {
        f"c{number}": task_metric(container, error, statistic="Sum")
        for number, container in enumerate(containers)
    }
    return _sum(raised, label=error)


def _sum(metrics: dict[str, cloudwatch.Metric], *, label: str) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in metrics),
        using_metrics=metrics,
        label=label,
        period=cdk.Duration.minutes(5),
    )
