"""Compare an image's findings with the limits of its container, waivers considered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

# Unrated findings count as high, and severities missing here as critical.
_COUNTS_AS: Final[Mapping[str, str]] = {
    "CRITICAL": "critical",
    "HIGH": "high",
    "UNDEFINED": "high",
    "UNTRIAGED": "high",
    "MEDIUM": "medium",
    "LOW": "low",
    "INFORMATIONAL": "low",
}
_WORST: Final = "critical"
_ORDER: Final = ("critical", "high", "medium")
_NAMED: Final = 10


class Finding(NamedTuple):
    """A vulnerability and its severity in ECR's or Inspector's words."""

    cve: str
    severity: str

    @property
    def counts_as(self) -> str:
        return _COUNTS_AS.get(self.severity, _WORST)


@dataclass(frozen=True)
class Limits:
    """The number of unwaived findings an image may have, from `[gate]` of its container.toml."""

    max_critical: int = 0
    max_high: int = 0
    max_medium: int = 25

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Limits:
        return cls(**manifest.get("gate", {}))

    def of_severity(self, severity: str) -> int:
        limit: int = getattr(self, f"max_{severity}")
        return limit


@dataclass(frozen=True)
class Waiver:
    """One `[[waivers]]` entry: the finding is not counted until the end of the day `until`."""

    cve: str
    container: str
    until: date
    reason: str
    who: str


class FindingsJudged(NamedTuple):
    problems: tuple[str, ...]
    waived: tuple[str, ...]


def judge_findings(
    findings: Iterable[Finding], limits: Limits, waivers: Sequence[Waiver], *, today: date
) -> FindingsJudged:
    """Return what exceeds the limits, worst first; `waivers` may include expired ones."""
    live = {each.cve: each for each in waivers if today <= each.until}
    expired = {each.cve: each for each in waivers if today > each.until and each.cve not in live}
    found = _worst_of_each(findings)
    problems = [
        _too_many(severity, cves, limits.of_severity(severity), expired)
        for severity in _ORDER
        if len(cves := sorted(set(found.get(severity, ())) - live.keys()))
        > limits.of_severity(severity)
    ]
    waived = [
        f"{cve} until {live[cve].until}: {live[cve].reason} ({live[cve].who})"
        for cve in sorted(live.keys() & {cve for cves in found.values() for cve in cves})
    ]
    return FindingsJudged(tuple(problems), tuple(waived))


def critical(
    findings: Iterable[Finding], waivers: Iterable[Waiver], *, today: date
) -> tuple[str, ...]:
    """Return the names of critical vulnerabilities that no waiver covers today."""
    waived = {each.cve for each in waivers if today <= each.until}
    return tuple(sorted(set(_worst_of_each(findings)[_WORST]) - waived))


def _worst_of_each(findings: Iterable[Finding]) -> dict[str, list[str]]:
    """Return vulnerabilities by severity; one in several packages counts once, as its worst."""
    rank = {severity: place for place, severity in enumerate((*_ORDER, "low"))}
    worst: dict[str, str] = {}
    for finding in findings:
        known = worst.get(finding.cve, "low")
        worst[finding.cve] = min(known, finding.counts_as, key=rank.__getitem__)
    return {
        severity: [cve for cve, counts_as in worst.items() if counts_as == severity]
        for severity in rank
    }


def _too_many(severity: str, cves: Sequence[str], limit: int, expired: Mapping[str, Waiver]) -> str:
    named = ", ".join(cves[:_NAMED]) + (f" and {len(cves) - _NAMED} more" if cves[_NAMED:] else "")
    lapsed = "".join(
        f"; the waiver of {cve} by {expired[cve].who} expired on {expired[cve].until}"
        for cve in cves
        if cve in expired
    )
    return f"{len(cves)} {severity} findings, {limit} allowed: {named}{lapsed}"
