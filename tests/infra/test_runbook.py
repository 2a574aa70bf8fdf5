"""Every alarm has a runbook section, and every section an alarm."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest

from infra.app import ROOT
from infra.queries import read_queries
from tests.infra.cloudformation import deploy
from tests.infra.conftest import Templates

_RUNBOOK: Final = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
_NAMED: Final = re.compile(r"docs/runbook\.md, section `([a-z-]+)`\.")
_PARTS: Final = ("**Meaning.**", "**Look.**", "**Do.**", "**Verify.**")


def sections(text: str) -> dict[str, str]:
    """Return the text below each heading."""
    _, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in parts}


def alarms(templates: Templates) -> list[dict[str, Any]]:
    return [
        alarm.properties
        for template in templates.values()
        for alarm in deploy(template).of("CloudWatch::Alarm")
    ]


def named(alarm: dict[str, Any]) -> list[str]:
    return _NAMED.findall(alarm.get("AlarmDescription", ""))


def test_every_alarm_names_one_section(templates: Templates) -> None:
    assert [each["AlarmName"] for each in alarms(templates) if len(named(each)) != 1] == []


def test_every_section_has_an_alarm_and_every_alarm_a_section(on_cpus: Templates) -> None:
    named_sections = {section for alarm in alarms(on_cpus) for section in named(alarm)}

    assert named_sections == sections(_RUNBOOK).keys()
    assert len(named_sections) >= 10


@pytest.mark.parametrize("section", sections(_RUNBOOK))
def test_a_section_has_meaning_look_do_and_verify_in_order(
    section: str,
) -> None:
    places = [sections(_RUNBOOK)[section].find(part) for part in _PARTS]

    assert -1 not in places
    assert places == sorted(places)


def test_every_alarm_notifies_the_topic(templates: Templates) -> None:
    topic = deploy(templates["matteline-dev-observability"]).one("SNS::Topic")
    topics = {arn for alarm in alarms(templates) for arn in alarm.get("AlarmActions", [])}

    assert [arn.rpartition(":")[2] for arn in topics] == [topic.properties["TopicName"]]
    assert all(alarm.get("AlarmActions") and alarm.get("OKActions") for alarm in alarms(templates))


def test_alarm_names_are_unique(templates: Templates) -> None:
    names = [alarm["AlarmName"] for alarm in alarms(templates)]

    assert len(names) == len(set(names))


def test_links_in_the_runbook_lead_to_its_sections() -> None:
    headings = re.findall(r"^##+ (.*)$", _RUNBOOK, flags=re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}

    assert set(re.findall(r"\]\(#([a-z-]+)\)", _RUNBOOK)) <= anchors


def test_every_saved_query_is_used_in_the_runbook() -> None:
    queries = read_queries().keys() - {"one-photo"}

    assert queries == {name for name in queries if f"`{name}`" in _RUNBOOK}


def test_the_section_on_timeouts_tells_that_of_every_machine(templates: Templates) -> None:
    machines = {
        alarm["AlarmName"].removeprefix("matteline-dev-").removesuffix("-timed-out")
        for alarm in alarms(templates)
        if "executions-timed-out" in named(alarm)
    }
    meaning = sections(_RUNBOOK)["executions-timed-out"].partition("**Look.**")[0]

    assert {name for name in machines if name not in meaning} == set()
    assert {"cutout", "faces", "transcript"} <= machines
