"""How many findings of which severity an image may have, and which are waived until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

# Nobody has rated it yet: it counts as high until somebody has. A word that is new counts most.
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
    """A vulnerability by its name, and how bad ECR says it is."""

    cve: str
    severity: str

    @property
    def counts_as(self) -> str:
        return _COUNTS_AS.get(self.severity, _WORST)


@dataclass(frozen=True)
class Limits:
    """The most findings an image may have that are not waived: `[gate]` of a container.toml."""

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
    """One `[[waivers]]`: the finding counts for nothing up to and including the day `until`."""

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
    """What is too much, worst first; `waivers` are those of this container, expired ones too."""
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
    """The critical vulnerabilities by name, but for those that a waiver excepts today."""
    waived = {each.cve for each in waivers if today <= each.until}
    return tuple(sorted(set(_worst_of_each(findings)[_WORST]) - waived))


def _worst_of_each(findings: Iterable[Finding]) -> dict[str, list[str]]:
    """Severity → vulnerabilities; one that is in several packages counts once, as its worst."""
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
