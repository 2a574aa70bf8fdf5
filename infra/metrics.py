"""Name the metrics in use: AWS's own, and those that `pipeline.observed` publishes."""

from __future__ import annotations

import json
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names

FALLBACK_STATE: Final = "UseFallback"
_TASKS: Final = "Matteline"


def namespace(names: Names) -> str:
    """Return the metric namespace of a deployment; all stages share the namespace of tasks."""
    return names.metric_namespace()


def execution_metric(
    names: Names, machine: str, metric: str, *, minutes: int = 5
) -> cloudwatch.Metric:
    """Return a metric of Step Functions, over all versions and aliases of a machine."""
    return cloudwatch.Metric(
        namespace="AWS/States",
        metric_name=metric,
        dimensions_map={"StateMachineArn": names.unqualified_machine_arn(machine)},
        statistic="Sum",
        period=cdk.Duration.minutes(minutes),
    )


def quarantined_name(machine: str) -> str:
    """Return the name of the metric that counts the inputs that a machine quarantined."""
    return f"{machine}-quarantined"


DEAD_LETTERS: Final = "dead-letters"


def dead_letters(names: Names) -> cloudwatch.Metric:
    """Return how many messages to webhooks were given up, counted in the delivery's log."""
    return cloudwatch.Metric(
        namespace=namespace(names),
        metric_name=DEAD_LETTERS,
        statistic="Sum",
        period=cdk.Duration.minutes(5),
    )


def quarantined(names: Names, machine: str, *, minutes: int = 5) -> cloudwatch.Metric:
    """Return how many executions quarantined their input, counted in the machine's log."""
    return _counted(names, quarantined_name(machine), minutes)


def refused_name(machine: str) -> str:
    """Return the name of the metric that counts executions that ended in the state Refused."""
    return f"{machine}-refused"


def refused(names: Names, machine: str, *, minutes: int = 5) -> cloudwatch.Metric:
    """Return how many executions refused their input without a quarantine."""
    return _counted(names, refused_name(machine), minutes)


def fallback_name(machine: str) -> str:
    """Return the name of the metric that counts how often a machine took a plan's fallback."""
    return f"{machine}-fallback"


def fallbacks(names: Names, machine: str, *, minutes: int = 5) -> cloudwatch.Metric:
    """Return how often a machine took a plan's fallback, counted in its log."""
    return _counted(names, fallback_name(machine), minutes)


def _counted(names: Names, metric: str, minutes: int) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace(names),
        metric_name=metric,
        statistic="Sum",
        period=cdk.Duration.minutes(minutes),
    )


def falling_back(blueprint: Blueprint) -> tuple[str, ...]:
    """Return the machines with the state that takes a plan's fallback."""
    return _with_state(blueprint, FALLBACK_STATE)


def refusing(blueprint: Blueprint) -> tuple[str, ...]:
    """Return the machines with a state Refused: products quarantine instead."""
    return _with_state(blueprint, "Refused")


def _with_state(blueprint: Blueprint, state: str) -> tuple[str, ...]:
    definitions = blueprint.definitions.items()
    return tuple(name for name, text in definitions if state in json.loads(text)["States"])


def task_metric(
    container: str, metric: str, *, statistic: str, minutes: int = 5
) -> cloudwatch.Metric:
    """Return a metric that a container's tasks publish: timings, memory, or errors by name."""
    return cloudwatch.Metric(
        namespace=_TASKS,
        metric_name=metric,
        dimensions_map={"service": container},
        statistic=statistic,
        period=cdk.Duration.minutes(minutes),
    )


def function_metric(
    function: str, metric: str, *, statistic: str, minutes: int = 5
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name=metric,
        dimensions_map={"FunctionName": function},
        statistic=statistic,
        period=cdk.Duration.minutes(minutes),
    )


def undelivered(names: Names, machine: str) -> cloudwatch.Metric:
    """Return the number of events in a machine's dead-letter queue."""
    return cloudwatch.Metric(
        namespace="AWS/SQS",
        metric_name="ApproximateNumberOfMessagesVisible",
        dimensions_map={"QueueName": names.undelivered_queue(machine)},
        statistic="Maximum",
    )
