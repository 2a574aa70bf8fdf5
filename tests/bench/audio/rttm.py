"""Who speaks when, as RTTM: the text format of speaker turns that NIST's evaluations use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Turn(NamedTuple):
    """One speaker speaks from `start` to `end`, in seconds. Turns may overlap."""

    start: float
    end: float
    speaker: str


def read_rttm(text: str) -> list[Turn]:
    """Return the turns of the lines of type SPEAKER, in order. Raises ValueError."""
    rows = (line.split() for line in text.splitlines() if line.startswith("SPEAKER "))
    return sorted(Turn(float(row[3]), float(row[3]) + float(row[4]), row[7]) for row in rows)


def write_rttm(turns: Iterable[Turn], *, name: str) -> str:
    """Return turns as RTTM, to the millisecond; `name` is the recording's."""
    lines = (
        f"SPEAKER {name} 1 {start:.3f} {end - start:.3f} <NA> <NA> {speaker} <NA> <NA>\n"
        for start, end, speaker in turns
    )
    return "".join(lines)
