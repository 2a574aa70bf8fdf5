"""What a month costs of which nothing is used: README's figure, counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tests.infra.cloudformation import Deployed, Resource, deploy
from tests.infra.conftest import Templates

# US dollars a month in us-east-1 and eu-central-1. What is free for each account is not taken off.
METRIC_IN_ALARM: Final = 0.10
COMPOSITE: Final = 0.50
KEY: Final = 1.00
DASHBOARD: Final = 3.00
FREE_DASHBOARDS: Final = 3
SECRET: Final = 0.40
TRANSITION: Final = 0.025 / 1_000
QUIET_LOOK: Final = 4  # states of reap-jobs where nothing is RUNNING
MONTH_MINUTES: Final = 730 * 60
_EVERY: Final = re.compile(r"rate\((\d+) minutes\)")


def alarmed(alarm: Resource) -> int:
    """How many metrics an alarm looks at: those of an expression each count."""
    metrics = alarm.properties.get("Metrics", [{"MetricStat": "its only one"}])
    return sum("MetricStat" in each for each in metrics)


def looks(rule: Resource) -> float:
    """How often a month a rule goes off by the clock, where it does so every so many minutes."""
    rate = _EVERY.fullmatch(rule.properties.get("ScheduleExpression", ""))
    return MONTH_MINUTES / int(rate[1]) if rate else 0


def month(stacks: list[Deployed]) -> dict[str, float]:
    counted = {
        "metrics in alarms": METRIC_IN_ALARM * sum(map(alarmed, _all(stacks, "CloudWatch::Alarm"))),
        "composite alarms": COMPOSITE * _count(stacks, "CloudWatch::CompositeAlarm"),
        "keys": KEY * _count(stacks, "KMS::Key"),
        "dashboards": DASHBOARD * max(0, _count(stacks, "CloudWatch::Dashboard") - FREE_DASHBOARDS),
        "secrets": SECRET * _count(stacks, "SecretsManager::Secret"),
        "looks for dead jobs": TRANSITION
        * QUIET_LOOK
        * sum(map(looks, _all(stacks, "Events::Rule"))),
    }
    return {name: round(dollars, 2) for name, dollars in counted.items()}


def _all(stacks: list[Deployed], kind: str) -> Iterator[Resource]:
    yield from (resource for stack in stacks for resource in stack.of(kind))


def _count(stacks: list[Deployed], kind: str) -> int:
    return len(list(_all(stacks, kind)))


def test_a_deployment_at_rest_costs_this_much_a_month(templates: Templates) -> None:
    assert month([deploy(template) for template in templates.values()]) == {
        "metrics in alarms": 15.90,  # five for each function of a container, most of all
        "composite alarms": 2.00,
        "keys": 4.00,
        "dashboards": 0.00,
        "secrets": 0.00,
        "looks for dead jobs": 0.29,
    }
