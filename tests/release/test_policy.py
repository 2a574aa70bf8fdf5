"""The gate limits findings by severity, and waivers except one finding until a date."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

import pytest

from pipeline.functions.release_gate.policy import Finding, Limits, Waiver, judge_findings
from pipeline.functions.release_gate.waivers import parse_waivers, read_waivers

TODAY = date(2026, 11, 20)
WAIVER = """
[[waivers]]
cve = "CVE-2026-1"
container = "edge-refiner"
until = 2026-12-31
reason = "never called"
who = "Ada"
"""


def judge(
    *found: tuple[str, str], limits: Limits | None = None, waivers: tuple[Waiver, ...] = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    findings = [Finding(cve, severity) for cve, severity in found]
    return judge_findings(findings, limits or Limits(), waivers, today=TODAY)


def waiver(until: date, cve: str = "CVE-1") -> Waiver:
    return Waiver(cve, "edge-refiner", until, "never called", "Ada")


def many(severity: str, number: int) -> tuple[tuple[str, str], ...]:
    return tuple((f"CVE-{place:02}", severity) for place in range(number))


def test_an_image_without_findings_passes() -> None:
    assert judge() == ((), ())


@pytest.mark.parametrize(
    ("severity", "counts_as"),
    [
        ("CRITICAL", "critical"),
        ("HIGH", "high"),
        ("UNDEFINED", "high"),
        ("UNTRIAGED", "high"),
        ("A_NEW_WORD", "critical"),
    ],
)
def test_one_critical_or_high_finding_is_too_many_and_unknown_severities_count_as_critical(
    severity: str, counts_as: str
) -> None:
    assert judge(("CVE-1", severity)) == ((f"1 {counts_as} findings, 0 allowed: CVE-1",), ())


@pytest.mark.parametrize("severity", ["LOW", "INFORMATIONAL"])
def test_low_findings_pass_in_any_number(severity: str) -> None:
    assert judge(*many(severity, 500)) == ((), ())


def test_medium_findings_pass_up_to_the_limit() -> None:
    assert judge(*many("MEDIUM", 25)) == ((), ())
    (problem,), _ = judge(*many("MEDIUM", 26))
    assert problem.startswith("26 medium findings, 25 allowed: CVE-00, CVE-01,")
    assert problem.endswith("CVE-09 and 16 more")


def test_a_container_may_set_its_own_limits() -> None:
    limits = Limits.of({"name": "edge-refiner", "gate": {"max_high": 1, "max_medium": 0}})

    assert judge(("CVE-1", "HIGH"), limits=limits) == ((), ())
    assert judge(("CVE-1", "MEDIUM"), limits=limits)[0] == ("1 medium findings, 0 allowed: CVE-1",)
    assert judge(("CVE-1", "CRITICAL"), limits=limits)[0] == (
        "1 critical findings, 0 allowed: CVE-1",
    )


def test_a_finding_in_several_packages_counts_once_as_its_worst() -> None:
    assert judge(("CVE-1", "MEDIUM"), ("CVE-1", "HIGH"), ("CVE-1", "LOW"))[0] == (
        "1 high findings, 0 allowed: CVE-1",
    )


def test_every_exceeded_severity_is_reported_worst_first() -> None:
    problems, _ = judge(("CVE-1", "HIGH"), ("CVE-2", "CRITICAL"))

    assert [problem.split()[1] for problem in problems] == ["critical", "high"]


def test_a_waived_finding_is_not_counted_but_reported() -> None:
    problems, waived = judge(("CVE-1", "CRITICAL"), waivers=(waiver(date(2026, 12, 31)),))

    assert problems == ()
    assert waived == ("CVE-1 until 2026-12-31: never called (Ada)",)


def test_a_waiver_is_valid_until_the_end_of_its_last_day() -> None:
    assert judge(("CVE-1", "HIGH"), waivers=(waiver(TODAY),))[0] == ()
    assert judge(("CVE-1", "HIGH"), waivers=(waiver(date(2026, 11, 19)),))[0] == (
        "1 high findings, 0 allowed: CVE-1; the waiver of CVE-1 by Ada expired on 2026-11-19",
    )


def test_a_waiver_covers_one_finding() -> None:
    assert judge(("CVE-2", "HIGH"), waivers=(waiver(date(2026, 12, 31)),))[0] == (
        "1 high findings, 0 allowed: CVE-2",
    )


def test_a_renewed_waiver_replaces_the_expired_one() -> None:
    both = (waiver(date(2026, 1, 1)), waiver(date(2026, 12, 31)))

    assert judge(("CVE-1", "HIGH"), waivers=both)[0] == ()


def test_the_waivers_of_the_repository_are_valid() -> None:
    read_waivers()


def test_a_waiver_is_parsed_with_all_its_fields() -> None:
    assert parse_waivers(tomllib.loads(WAIVER)) == (
        Waiver("CVE-2026-1", "edge-refiner", date(2026, 12, 31), "never called", "Ada"),
    )


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("until = 2026-12-31\n", "", "waiver 1: 'until' is missing"),
        ("2026-12-31", '"2026-12-31"', "waiver 1: until '2026-12-31' is not a date"),
        ("2026-12-31", "2026-12-31T00:00:00", "is not a date"),
        ('"Ada"', '" "', "waiver 1: 'who' is empty"),
        ('reason = "never called"', "", "waiver 1: 'reason' is missing"),
        ("who", "whom", "waiver 1: 'who' is missing; waiver 1: unknown field 'whom'"),
        ("[[waivers]]", "[[waiver]]", "unknown table 'waiver'"),
    ],
)
def test_an_incomplete_or_unknown_waiver_raises(old: str, new: str, problem: str) -> None:
    document: dict[str, Any] = tomllib.loads(WAIVER.replace(old, new))

    with pytest.raises(ValueError, match=problem):
        parse_waivers(document)
