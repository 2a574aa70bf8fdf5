"""Alarms on executions: that fail, take too long, are held back, or never start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.alarms import Alarms
from infra.metrics import execution_metric, quarantined, undelivered
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names

_MAIN: Final = "cutout"
_MOST_QUARANTINED_PERCENT: Final = 20
_FEWEST_STARTED: Final = 10
_QUARTER_HOUR: Final = 15
_HALF_HOUR: Final = 30


def add_machine_alarms(alarms: Alarms, blueprint: Blueprint, names: Names) -> None:
    for machine in blueprint.definitions:
        _add_for_any(alarms, machine, names)
        alarms.add(
            f"{machine}-failed",
            _failed(machine, names),
            above=0,
            meaning=f"An execution of {machine} failed.",
            section=f"{machine}-failed",
        )
    for machine in (*blueprint.triggers(names), *blueprint.schedules):
        alarms.add(
            f"{machine}-undelivered",
            undelivered(names, machine),
            above=0,
            meaning=f"What starts {machine} could not be delivered.",
            section="events-undelivered",
        )
    _add_for_photos(alarms, names)


def _add_for_any(alarms: Alarms, machine: str, names: Names) -> None:
    alarms.add(
        f"{machine}-timed-out",
        execution_metric(names, machine, "ExecutionsTimedOut"),
        above=0,
        meaning=f"An execution of {machine} took longer than its definition allows.",
        section="executions-timed-out",
    )
    alarms.add(
        f"{machine}-throttled",
        execution_metric(names, machine, "ExecutionThrottled"),
        above=0,
        of_periods=(2, 3),
        meaning=f"Step Functions holds executions of {machine} back.",
        section="executions-throttled",
    )


def _failed(machine: str, names: Names) -> cloudwatch.IMetric:
    """A quarantined photo fails its execution, and is no failure of ours."""
    failed = execution_metric(names, machine, "ExecutionsFailed")
    if machine != _MAIN:
        return failed
    return _expression(
        "failed - FILL(quarantined, 0)",
        {"failed": failed, "quarantined": quarantined(names)},
        label="failed and not quarantined",
        minutes=5,
    )


def _add_for_photos(alarms: Alarms, names: Names) -> None:
    started = execution_metric(names, _MAIN, "ExecutionsStarted", minutes=_QUARTER_HOUR)
    alarms.add(
        "quarantine-rate",
        _expression(
            f"IF(started >= {_FEWEST_STARTED}, 100 * FILL(quarantined, 0) / started, 0)",
            {"started": started, "quarantined": quarantined(names, minutes=_QUARTER_HOUR)},
            label="quarantined, %",
            minutes=_QUARTER_HOUR,
        ),
        above=_MOST_QUARANTINED_PERCENT,
        meaning="Many photos are refused.",
        section="quarantine-rate",
    )
    counts = {
        "started": execution_metric(names, _MAIN, "ExecutionsStarted", minutes=_HALF_HOUR),
        "succeeded": execution_metric(names, _MAIN, "ExecutionsSucceeded", minutes=_HALF_HOUR),
    }
    alarms.add(
        "nothing-succeeds",
        _expression(
            f"IF(started >= {_FEWEST_STARTED} AND FILL(succeeded, 0) == 0, started, 0)",
            counts,
            label="started, and none succeeded",
            minutes=_HALF_HOUR,
        ),
        above=0,
        meaning="Photos come in and no cut-out goes out.",
        section="nothing-succeeds",
    )


def _expression(
    expression: str, metrics: Mapping[str, cloudwatch.IMetric], *, label: str, minutes: int
) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(
        expression=expression,
        using_metrics=metrics,
        label=label,
        period=cdk.Duration.minutes(minutes),
    )
