"""The monthly cost of an idle deployment, as docs/deploying.md states it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tests.infra.cloudformation import Deployed, Resource, deploy
from tests.infra.conftest import Templates

# US dollars a month in us-east-1 and eu-central-1, without free tiers.
METRIC_IN_ALARM: Final = 0.10
COMPOSITE: Final = 0.50
KEY: Final = 1.00
DASHBOARD: Final = 3.00
FREE_DASHBOARDS: Final = 3
SECRET: Final = 0.40
TRANSITION: Final = 0.025 / 1_000
QUIET_RUN: Final = 4  # states of reap-jobs without RUNNING jobs
MONTH_MINUTES: Final = 730 * 60
_EVERY: Final = re.compile(r"rate\((\d+) minutes\)")


def alarmed(alarm: Resource) -> int:
    """Count the metrics of an alarm; each metric of an expression counts."""
    metrics = alarm.properties.get("Metrics", [{"MetricStat": "single metric"}])
    return sum("MetricStat" in each for each in metrics)


def runs(rule: Resource) -> float:
    """Return how often a month a `rate(… minutes)` rule fires; 0 for other rules."""
    rate = _EVERY.fullmatch(rule.properties.get("ScheduleExpression", ""))
    return MONTH_MINUTES / int(rate[1]) if rate else 0


def month(stacks: list[Deployed]) -> dict[str, float]:
    counted = {
        "metrics in alarms": METRIC_IN_ALARM * sum(map(alarmed, _all(stacks, "CloudWatch::Alarm"))),
        "composite alarms": COMPOSITE * _count(stacks, "CloudWatch::CompositeAlarm"),
        "keys": KEY * _count(stacks, "KMS::Key"),
        "dashboards": DASHBOARD * max(0, _count(stacks, "CloudWatch::Dashboard") - FREE_DASHBOARDS),
        "secrets": SECRET * _count(stacks, "SecretsManager::Secret"),
        "runs of reap-jobs": TRANSITION * QUIET_RUN * sum(map(runs, _all(stacks, "Events::Rule"))),
    }
    return {name: round(dollars, 2) for name, dollars in counted.items()}


def _all(stacks: list[Deployed], kind: str) -> Iterator[Resource]:
    yield from (resource for stack in stacks for resource in stack.of(kind))


def _count(stacks: list[Deployed], kind: str) -> int:
    return len(list(_all(stacks, kind)))


def test_an_idle_deployment_costs_this_much_a_month(templates: Templates) -> None:
    assert month([deploy(template) for template in templates.values()]) == {
        "metrics in alarms": 20.00,  # mostly five for each function of a container
        "composite alarms": 2.50,
        "keys": 4.00,
        "dashboards": 0.00,
        "secrets": 0.00,
        "runs of reap-jobs": 0.29,
    }
