"""Read `waivers.toml`: each waiver covers one finding in one container until a date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from pipeline.functions.declared import ROOT, read_toml
from pipeline.functions.release_gate.policy import Waiver

FILE: Final = Path("pipeline/functions/release_gate/waivers.toml")


def read_waivers() -> tuple[Waiver, ...]:
    """Return the waivers this zip was deployed with. Raises ValueError if one is incomplete."""
    return parse_waivers(read_toml(ROOT / FILE))


def parse_waivers(document: Mapping[str, Any]) -> tuple[Waiver, ...]:
    """Parse waivers. Raises ValueError naming every incomplete, undated or unknown entry."""
    unknown = sorted(document.keys() - {"waivers"})
    problems = [f"unknown table {name!r}" for name in unknown]
    entries = document.get("waivers", [])
    for number, entry in enumerate(entries, start=1):
        problems += [f"waiver {number}: {problem}" for problem in _problems(entry)]
    if problems:
        raise ValueError("; ".join(problems))
    return tuple(Waiver(**entry) for entry in entries)


def _problems(entry: Mapping[str, Any]) -> Iterator[str]:
    wanted = {field.name for field in fields(Waiver)}
    yield from (f"{name!r} is missing" for name in sorted(wanted - entry.keys()))
    yield from (f"unknown field {name!r}" for name in sorted(entry.keys() - wanted))
    until = entry.get("until", date.min)
    if not isinstance(until, date) or isinstance(until, datetime):
        yield f"until {until!r} is not a date"
    for name in sorted(wanted & entry.keys() - {"until"}):
        if not isinstance(entry[name], str) or not entry[name].strip():
            yield f"{name!r} is empty"
