"""Define alarms on executions that fail, time out, are throttled or do not start, and on rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.alarms import Alarms
from infra.metrics import (
    dead_letters,
    execution_metric,
    fallbacks,
    falling_back,
    quarantined,
    refused,
    refusing,
    undelivered,
)
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names

_MOST_QUARANTINED_PERCENT: Final = 20
_MOST_FALLBACKS_PERCENT: Final = 20
_FEWEST_STARTED: Final = 10
_QUARTER_HOUR: Final = 15
_HALF_HOUR: Final = 30
_HOUR: Final = 60  # with four runs
_REAPING: Final = "reap-jobs"


def add_machine_alarms(alarms: Alarms, blueprint: Blueprint, names: Names) -> None:
    products = [product.machine for product in blueprint.products]
    aside = {machine: refused(names, machine) for machine in refusing(blueprint)}
    aside |= {machine: quarantined(names, machine) for machine in blueprint.claiming}
    for machine in blueprint.definitions:
        _add_for_any(alarms, machine, names)
        alarms.add(
            f"{machine}-failed",
            _failed(machine, names, aside.get(machine)),
            above=0,
            meaning=f"An execution of {machine} failed.",
            section="product-failed" if machine in products else f"{machine}-failed",
        )
    for machine in (*blueprint.triggers(names), *blueprint.schedules):
        alarms.add(
            f"{machine}-undelivered",
            undelivered(names, machine),
            above=0,
            meaning=f"An event that should start {machine} was not delivered.",
            section="events-undelivered",
        )
    alarms.add(
        "webhooks-dead",
        dead_letters(names),
        above=0,
        meaning="A message to a webhook was given up: its receiver failed for a day, or is gone.",
        section="webhooks-dead",
    )
    for machine in products:
        _add_for_product(alarms, machine, names)
    for machine in falling_back(blueprint):
        _add_for_fallbacks(alarms, machine, names)
    alarms.add_expectation(
        "reaping-missing",
        execution_metric(names, _REAPING, "ExecutionsSucceeded", minutes=_HOUR),
        meaning=f"For an hour, no execution of {_REAPING} has succeeded.",
        section="reaping-missing",
    )


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
        meaning=f"Step Functions throttles executions of {machine}.",
        section="executions-throttled",
    )


def _failed(machine: str, names: Names, aside: cloudwatch.IMetric | None) -> cloudwatch.IMetric:
    """Return the failed executions, without those that refused or quarantined their input."""
    failed = execution_metric(names, machine, "ExecutionsFailed")
    if aside is None:
        return failed
    return _expression(
        "failed - FILL(aside, 0)",
        {"failed": failed, "aside": aside},
        label="failed, and not because of the input",
        minutes=5,
    )


def _add_for_product(alarms: Alarms, machine: str, names: Names) -> None:
    alarms.add(
        f"{machine}-quarantine-rate",
        _rate(names, machine, quarantined(names, machine, minutes=_QUARTER_HOUR), "quarantined"),
        above=_MOST_QUARANTINED_PERCENT,
        meaning=f"{machine} quarantines more than {_MOST_QUARANTINED_PERCENT}% of its input.",
        section="quarantine-rate",
    )
    counts = {
        "started": execution_metric(names, machine, "ExecutionsStarted", minutes=_HALF_HOUR),
        "succeeded": execution_metric(names, machine, "ExecutionsSucceeded", minutes=_HALF_HOUR),
    }
    alarms.add(
        f"{machine}-nothing-succeeds",
        _expression(
            f"IF(started >= {_FEWEST_STARTED} AND FILL(succeeded, 0) == 0, started, 0)",
            counts,
            label="started, and none succeeded",
            minutes=_HALF_HOUR,
        ),
        above=0,
        meaning=f"Executions of {machine} start and none succeeds.",
        section="nothing-succeeds",
    )


def _add_for_fallbacks(alarms: Alarms, machine: str, names: Names) -> None:
    alarms.add(
        f"{machine}-fallback-rate",
        _rate(names, machine, fallbacks(names, machine, minutes=_QUARTER_HOUR), "with a fallback"),
        above=_MOST_FALLBACKS_PERCENT,
        meaning=f"More than {_MOST_FALLBACKS_PERCENT}% of executions of {machine} fall back.",
        section="fallback-rate",
    )


def _rate(
    names: Names, machine: str, counted: cloudwatch.Metric, label: str
) -> cloudwatch.MathExpression:
    """Return the percentage of a machine's executions; 0 while there are few."""
    started = execution_metric(names, machine, "ExecutionsStarted", minutes=_QUARTER_HOUR)
    return _expression(
        f"IF(started >= {_FEWEST_STARTED}, 100 * FILL(counted, 0) / started, 0)",
        {"started": started, "counted": counted},
        label=f"{label}, %",
        minutes=_QUARTER_HOUR,
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
