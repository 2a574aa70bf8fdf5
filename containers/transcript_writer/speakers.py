"""Join the turns of all parts, with one name for each person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from containers.transcript_writer.linking import Voice, link
from pipeline.contracts.speakers import PartSpeakers
from pipeline.contracts.transcript import WriteTranscript

_NAME: Final = "SPEAKER_{:02}"


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """One person speaks from `start` to `end` (ms)."""

    start: int
    end: int
    speaker: str


@dataclass(frozen=True, slots=True)
class Speakers:
    """Who speaks when, ordered by start. A person's own turns neither overlap nor touch.

    `remarks` are sentences on numbers of speakers that could not be reached.
    """

    turns: tuple[SpokenTurn, ...]
    remarks: tuple[str, ...] = ()

    @property
    def seconds(self) -> dict[str, float]:
        """Return how long each person speaks, in order of appearance."""
        spoken = dict.fromkeys((turn.speaker for turn in self.turns), 0)
        for turn in self.turns:
            spoken[turn.speaker] += turn.end - turn.start
        return {name: milliseconds / 1000 for name, milliseconds in spoken.items()}


def tell_apart(parts: Sequence[PartSpeakers], job: WriteTranscript) -> Speakers:
    """Link the speakers of all parts, and name them `SPEAKER_00`, … by their first appearance."""
    voices = [
        Voice(part.index, speaker.centroid, speaker.speech_s)
        for part in parts
        for speaker in part.speakers
    ]
    least = job.speakers or job.least_speakers or 1
    wanted = job.speakers or job.most_speakers
    crowd = max((len(part.speakers) for part in parts), default=0)
    people = link(
        voices,
        below=min((part.link_below for part in parts), default=0.0),
        least=least,
        most=max(wanted, crowd) if wanted else None,
    )
    turns = _named(_turns(parts, people, round(job.recording.duration_s * 1000)))
    return Speakers(turns, tuple(_doubts({turn.speaker for turn in turns}, least, wanted)))


def _turns(
    parts: Sequence[PartSpeakers], people: Sequence[int], duration: int
) -> dict[int, list[tuple[int, int]]]:
    """Return when each person speaks, within the recording; join turns that overlap or touch."""
    spans = defaultdict[int, list[tuple[int, int]]](list)
    first = 0
    for part in parts:
        own = people[first : first + len(part.speakers)]
        first += len(own)
        for turn in part.turns:
            start = max(0, round(turn.start * 1000))
            end = min(duration, round(turn.end * 1000))
            if start < end:
                spans[own[turn.speaker]].append((start, end))
    return {person: _joined(sorted(own)) for person, own in spans.items()}


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _named(spans: dict[int, list[tuple[int, int]]]) -> tuple[SpokenTurn, ...]:
    appeared = sorted(spans, key=lambda person: (spans[person][0], person))
    turns = (
        SpokenTurn(start, end, _NAME.format(number))
        for number, person in enumerate(appeared)
        for start, end in spans[person]
    )
    return tuple(sorted(turns, key=lambda turn: (turn.start, turn.end, turn.speaker)))


def _doubts(found: set[str], least: int, most: int | None) -> Iterable[str]:
    if found and len(found) < least:
        yield f"At least {least} speakers were expected, and {len(found)} could be told apart."
    if most and len(found) > most:
        expected = f"{most} speaker was" if most == 1 else f"{most} speakers were"
        yield f"At most {expected} expected, and {len(found)} speak in one part of the recording."
