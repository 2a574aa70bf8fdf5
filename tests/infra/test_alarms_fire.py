"""Every alarm fires at its own fault, and at nothing else that a busy or idle stage does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pytest

from infra.app import ROOT
from tests.infra.alarm_state import Point, Values, composite_state, evaluate, state
from tests.infra.cloudformation import Deployed, deploy
from tests.infra.conftest import Templates

_SECTION: Final = re.compile(r"section `([a-z-]+)`\.")
_MISSING: Final = {"compaction-missing", "reaping-missing"}
_RUNBOOK: Final = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
_README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
_ANY: Final = "any"
# A stage with work to do, by the end of a metric's name. Errors by name have no data.
HEALTHY: Final[Mapping[str, Sequence[Point]]] = {
    "Invocations": [100],
    "Errors": [0],
    "Duration": [9_000],
    "Throttles": [0],
    "ConcurrentExecutions": [120],
    "ExecutionsStarted": [20],
    "ExecutionsSucceeded": [20],
    "ExecutionsFailed": [0],
    "ExecutionsTimedOut": [0],
    "ExecutionThrottled": [0],
    "ApproximateNumberOfMessagesVisible": [0],
    "-quarantined": [1],
    "-fallback": [2],
    "overdue": [0],
    "5xx": [0],
    "4xx": [20],
    "Count": [200],
    "Latency": [900],
}
# What is different when the thing goes wrong that a section of the runbook is about.
FAULTS: Final[Mapping[str, Mapping[str, Sequence[Point]]]] = {
    "api-errors": {"5xx": [1]},
    "api-refusals": {"4xx": [60]},
    "api-slowness": {"Latency": [26_000]},
    "compaction-missing": {"ExecutionsSucceeded": [None]},
    "concurrency": {"ConcurrentExecutions": [801]},
    "definition-taken-back": {"ExecutionsFailed": [15], "ExecutionsSucceeded": [5]},
    "erasure-overdue": {"overdue": [1]},
    "events-undelivered": {"ApproximateNumberOfMessagesVisible": [1]},
    "executions-throttled": {"ExecutionThrottled": [1]},
    "executions-timed-out": {"ExecutionsTimedOut": [1]},
    "fallback-rate": {"-fallback": [5]},
    "function-errors": {"Errors": [6]},
    "function-slowness": {"Duration": [800_000]},
    "function-throttles": {"Throttles": [11]},
    "image-care-undelivered": {"ApproximateNumberOfMessagesVisible": [1]},
    "image-vulnerable": {"critical-findings": [1]},
    "nothing-succeeds": {"ExecutionsSucceeded": [0]},
    "operations-failing": {"Errors": [1]},
    "out-of-memory": {"OutOfMemory": [1]},
    "quarantine-rate": {"-quarantined": [5]},
    "reaping-missing": {"ExecutionsSucceeded": [None]},
    "segment-mismatch": {"SegmentMismatch": [1]},
    "table-throttled": {"ReadThrottleEvents": [1]},
    "webhooks-dead": {"dead-letters": [1]},
    "weights-mismatch": {"WeightsMismatch": [1]},
    # An input that was quarantined or refused is one of the failed executions, but no fault.
    "-failed": {"ExecutionsFailed": [2], "-quarantined": [1], "-refused": [1]},
}
# The bullets of the README that promise something, and an alarm for when it is not kept.
PROMISES: Final[Mapping[str, Sequence[str]]] = {
    "Every upload has one outcome:": [
        "product-failed", "events-undelivered", "record-failure-failed", "reaping-missing",
        "executions-timed-out",
    ],
    "Bad input fails once,": ["quarantine-rate", "product-failed"],
    "Outages are retried.": ["product-failed", "nothing-succeeds"],
    "Clean edges:": ["fallback-rate"],
    "Every word has its time,": ["fallback-rate", "product-failed"],
    "Releases are checked:": ["release-container-failed", "image-vulnerable"],
}  # fmt: skip


def values_of(*layers: Mapping[str, Sequence[Point]]) -> Values:
    """Return the values of a metric: of the last layer that knows the end of its name."""

    def values(metric: str) -> Sequence[Point]:
        for layer in reversed(layers):
            for end, series in layer.items():
                if metric.endswith(end):
                    return series
        return [None]

    return values


def fault_of(section: str) -> Mapping[str, Sequence[Point]]:
    return FAULTS[section] if section in FAULTS else FAULTS["-failed"]


@pytest.fixture(scope="module")
def stacks(templates: Templates) -> list[Deployed]:
    return [deploy(template) for template in templates.values()]


def alarms(stacks: Sequence[Deployed]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the section and the properties of every alarm."""
    for stack in stacks:
        for each in stack.of("CloudWatch::Alarm"):
            (section,) = _SECTION.findall(each.properties["AlarmDescription"])
            yield section, each.properties


def fired(stacks: Sequence[Deployed], values: Values) -> set[str]:
    return {alarm["AlarmName"] for _, alarm in alarms(stacks) if state(alarm, values) == "ALARM"}


def test_a_busy_stage_without_faults_has_no_alarm(stacks: list[Deployed]) -> None:
    assert fired(stacks, values_of(HEALTHY)) == set()


def test_an_idle_stage_misses_only_what_a_schedule_starts(stacks: list[Deployed]) -> None:
    assert fired(stacks, values_of()) == {f"matteline-dev-{name}" for name in _MISSING}


def test_every_alarm_fires_at_its_own_fault(stacks: list[Deployed]) -> None:
    silent = [
        alarm["AlarmName"]
        for section, alarm in alarms(stacks)
        if state(alarm, values_of(HEALTHY, fault_of(section))) != "ALARM"
    ]

    assert silent == []
    assert len(list(alarms(stacks))) > 200


def test_every_section_that_has_an_alarm_has_a_fault(stacks: list[Deployed]) -> None:
    sections = {section for section, _ in alarms(stacks)}

    assert {each for each in sections if not each.endswith("-failed")} == FAULTS.keys() - {
        "-failed"
    }


def test_one_bad_period_of_several_is_no_alarm(stacks: list[Deployed]) -> None:
    """An alarm of M of N periods waits for M."""
    hasty = [
        alarm["AlarmName"]
        for section, alarm in alarms(stacks)
        if alarm["DatapointsToAlarm"] > 1
        and state(alarm, _only_last(section, alarm["EvaluationPeriods"])) == "ALARM"
    ]

    assert hasty == []


def _only_last(section: str, periods: int) -> Values:
    healthy, faulty = values_of(HEALTHY), values_of(HEALTHY, fault_of(section))
    return lambda metric: [*[healthy(metric)[0]] * (periods - 1), faulty(metric)[0]]


def test_a_release_is_rolled_back_by_an_alarm_of_any_of_its_functions(
    stacks: list[Deployed],
) -> None:
    quiet: dict[str, Any] = {alarm["AlarmName"]: "OK" for _, alarm in alarms(stacks)}
    composites = [
        each.properties for stack in stacks for each in stack.of("CloudWatch::CompositeAlarm")
    ]

    for composite in composites:
        rule = composite["AlarmRule"]
        assert composite_state(rule, quiet) == "OK"
        for name in re.findall(r'"([^"]+)"', rule):
            assert composite_state(rule, {**quiet, name: "ALARM"}) == "ALARM"
    assert len(composites) == len(list((ROOT / "containers").glob("*/container.toml")))


@pytest.mark.parametrize("promise", PROMISES)
def test_a_promise_of_the_readme_has_alarms_and_the_runbook_says_which(
    promise: str, stacks: list[Deployed]
) -> None:
    named = PROMISES[promise]
    (row,) = (line for line in _RUNBOOK.splitlines() if line.startswith(f"| {promise}"))

    assert f"**{promise}**" in _README
    assert {*named} <= {section for section, _ in alarms(stacks)}
    assert re.findall(r"\]\(#([a-z-]+)\)", row) == named


def test_every_promise_of_the_readme_is_watched() -> None:
    assert re.findall(r"^- \*\*(.+?)\*\*", _README, flags=re.MULTILINE) == list(PROMISES)


def shown(stacks: list[Deployed], title: str) -> list[Any]:
    """Return the metrics of one graph of the dashboard."""
    (board,) = (each for stack in stacks for each in stack.of("CloudWatch::Dashboard"))
    widgets = json.loads(board.properties["DashboardBody"])["widgets"]
    (found,) = (each for each in widgets if each["properties"].get("title") == title)
    metrics: list[Any] = found["properties"]["metrics"]
    return metrics


def graphed(stacks: list[Deployed], title: str, label: str, values: Values) -> float:
    """Return the value of one line of a graph."""
    metrics = shown(stacks, title)
    series = {
        each[-1]["id"]: list(values(each[1]))
        for each in metrics
        if isinstance(each[0], str) and "id" in each[-1]
    }
    written = {each[0].get("id", _ANY): each[0]["expression"] for each in metrics if len(each) == 1}
    (line,) = (each[0] for each in metrics if len(each) == 1 and each[0].get("label") == label)
    (value,) = evaluate(line["expression"], series, written, periods=1)
    assert value is not None
    return value


def test_the_cost_of_a_thousand_cutouts_follows_from_measured_gb_seconds(
    stacks: list[Deployed],
) -> None:
    """Only edge-refiner ran: 100 cutouts, each 2 s in 4 GB."""
    refined = next(
        each[-1]["id"]
        for each in shown(stacks, "cutout: Lambda, $")
        if each[-1].get("id") and "matteline-dev-edge-refiner" in each
    )
    metrics = shown(stacks, "cutout: Lambda, $")
    series: dict[str, list[Point]] = {
        each[-1]["id"]: [{"Duration": 0.0, "ExecutionsSucceeded": 100.0}.get(each[1], 50.0)]
        for each in metrics
        if isinstance(each[0], str)
    } | {refined: [200_000.0]}
    written = {each[0].get("id", _ANY): each[0]["expression"] for each in metrics if len(each) == 1}

    (dollars,) = evaluate(written[_ANY], series, written, periods=1)

    assert dollars == pytest.approx(1000 * 2 * 4 * 0.0000166667)


def test_an_hour_of_sound_costs_less_the_more_is_heard_for_the_same_work(
    stacks: list[Deployed],
) -> None:
    def dollars(seconds: float) -> float:
        known: dict[str, Sequence[Point]] = {
            "Duration": [60_000], "ExecutionsStarted": [4], "duration_s": [seconds],
        }  # fmt: skip
        return graphed(stacks, "transcript: Lambda, $", "$ per hour of sound", values_of(known))

    assert dollars(3600) == pytest.approx(2 * dollars(7200))


def test_rates_are_in_percent_of_the_executions(stacks: list[Deployed]) -> None:
    known = values_of({"ExecutionsStarted": [40], "-quarantined": [4], "-fallback": [2]})
    title = "cutout: quarantined, and with a fallback"

    assert graphed(stacks, title, "quarantined, %", known) == pytest.approx(10)
    assert graphed(stacks, title, "fallbacks, %", known) == pytest.approx(5)


@pytest.mark.parametrize("product", ["cutout", "faces", "transcript"])
@pytest.mark.parametrize(
    ("what", "metrics"),
    [
        ("executions", {"ExecutionsStarted", "ExecutionsSucceeded"}),
        ("task duration, ms", {"task_ms"}),
        ("loading a model, ms", {"model_load_ms"}),
        ("cold starts, % of calls", {"cold_start"}),
    ],
)
def test_a_product_has_a_section_on_the_dashboard(
    product: str, what: str, metrics: set[str], stacks: list[Deployed]
) -> None:
    lines = shown(stacks, f"{product}: {what}")

    assert metrics <= {each[1] for each in lines if len(each) > 1}
