"""docs/deploying.md states the monthly cost of an idle deployment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from infra.app import ROOT
from tests.infra.cloudformation import Deployed, Resource, deploy
from tests.infra.conftest import Templates

DEPLOYING: Final = ROOT / "docs" / "deploying.md"
# US dollars a month in us-east-1 and eu-central-1, without free tiers.
METRIC_IN_ALARM: Final = 0.10
COMPOSITE: Final = 0.50
KEY: Final = 1.00
DASHBOARD: Final = 3.00
FREE_DASHBOARDS: Final = 3
SECRET: Final = 0.40
TRANSITION: Final = 0.025 / 1_000
QUIET_RUN: Final = 4  # states of reap-jobs without RUNNING jobs; others have fewer
MONTH_MINUTES: Final = 730 * 60
_EVERY: Final = re.compile(r"rate\((\d+) (minutes|hours)\)")
_MINUTES: Final = {"minutes": 1, "hours": 60}


def alarmed(alarm: Resource) -> int:
    """Count the metrics of an alarm; each metric of an expression counts."""
    metrics = alarm.properties.get("Metrics", [{"MetricStat": "single metric"}])
    return sum("MetricStat" in each for each in metrics)


def runs(rule: Resource) -> float:
    """Return how often a month a `rate(…)` rule fires; 0 for other rules."""
    rate = _EVERY.fullmatch(rule.properties.get("ScheduleExpression", ""))
    return MONTH_MINUTES / (int(rate[1]) * _MINUTES[rate[2]]) if rate else 0


def month(stacks: list[Deployed]) -> dict[str, float]:
    counted = {
        "metrics in alarms": METRIC_IN_ALARM * sum(map(alarmed, _all(stacks, "CloudWatch::Alarm"))),
        "composite alarms": COMPOSITE * _count(stacks, "CloudWatch::CompositeAlarm"),
        "keys": KEY * _count(stacks, "KMS::Key"),
        "dashboards": DASHBOARD * max(0, _count(stacks, "CloudWatch::Dashboard") - FREE_DASHBOARDS),
        "secrets": SECRET * _count(stacks, "SecretsManager::Secret"),
        "scheduled runs": TRANSITION * QUIET_RUN * sum(map(runs, _all(stacks, "Events::Rule"))),
    }
    return {name: round(dollars, 2) for name, dollars in counted.items()}


def functions(templates: Templates) -> int:
    """Count the functions of containers once each container is released: one alias each."""
    resources = (each for template in templates.values() for each in template["Resources"].values())
    return sum(each["Type"] == "AWS::Lambda::Alias" for each in resources)


def _all(stacks: list[Deployed], kind: str) -> Iterator[Resource]:
    yield from (resource for stack in stacks for resource in stack.of(kind))


def _count(stacks: list[Deployed], kind: str) -> int:
    return len(list(_all(stacks, kind)))


def test_an_idle_deployment_costs_what_the_documents_say(templates: Templates) -> None:
    stacks = [deploy(template) for template in templates.values()]
    costs = month(stacks)
    alarms = costs["metrics in alarms"] + costs["composite alarms"]
    stated = (
        f"A stage without photos costs about ${sum(costs.values()):.0f} a month: "
        f"${alarms:.2f} for alarms, mostly on its {functions(templates)} functions, "
        f"and ${costs['keys']:.0f} for keys."
    )

    assert stated in " ".join(DEPLOYING.read_text().split())
    assert (costs["dashboards"], costs["secrets"]) == (0, 0)
    assert costs["scheduled runs"] < 0.5  # not stated
