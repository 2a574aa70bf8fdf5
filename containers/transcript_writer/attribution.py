"""Give every word its speaker, and split segments where the speaker changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

from containers.transcript_writer.speakers import SpokenTurn
from containers.transcript_writer.stitching import SpokenSegment, Transcript

NEAR_MS: Final = 500  # from a word that nobody's turn overlaps to the turn that has it
_THROUGHOUT: Final = 0.5  # share of a word


class _Owner(NamedTuple):
    """Who speaks a word, and through which share of it; nobody if no turn is near."""

    speaker: str | None
    share: float


def attribute(transcript: Transcript, turns: Sequence[SpokenTurn]) -> Transcript:
    """Return the transcript with a speaker for every word that is in or near one's turn.

    A word belongs to the speaker whose turns overlap it most, otherwise to the nearest one within
    `NEAR_MS`, otherwise to nobody. Where two are equal, the speaker goes on who spoke before.

    A single word of another speaker within a segment of one speaker stays with that speaker,
    unless the other one speaks through half of it: times of words and of turns are good to a tenth
    of a second or two, and such a word would tear a sentence and its subtitle into three.

    `turns` are ordered by start. Takes time linear in words and turns.
    """
    owners = _owners(transcript, turns)
    segments = (part for segment in transcript.segments for part in _split(segment, owners))
    return replace(transcript, segments=tuple(segments))


def _owners(transcript: Transcript, turns: Sequence[SpokenTurn]) -> Iterator[_Owner]:
    ahead = iter(turns)
    following = next(ahead, None)
    near: list[SpokenTurn] = []
    before: str | None = None
    for word in (word for segment in transcript.segments for word in segment.words):
        start, end = word.start, max(word.end, word.start + 1)
        while following and following.start <= end + NEAR_MS:
            near.append(following)
            following = next(ahead, None)
        near = [turn for turn in near if turn.end >= start - NEAR_MS]
        owner = _owner(start, end, near, before)
        before = owner.speaker or before
        yield owner


def _owner(start: int, end: int, near: Sequence[SpokenTurn], before: str | None) -> _Owner:
    overlaps = Counter[str]()
    gaps: dict[str, int] = {}
    for turn in near:
        overlap = min(end, turn.end) - max(start, turn.start)
        overlaps[turn.speaker] += max(0, overlap)
        gaps[turn.speaker] = min(max(0, -overlap), gaps.get(turn.speaker, NEAR_MS))
    if not gaps:
        return _Owner(None, 0.0)
    speaker = max(gaps, key=lambda name: (overlaps[name], -gaps[name], name == before))
    return _Owner(speaker, overlaps[speaker] / (end - start))


def _split(segment: SpokenSegment, owners: Iterator[_Owner]) -> Iterator[SpokenSegment]:
    """Split a segment into parts of one speaker.

    A word that nobody speaks stays with the words before it, otherwise with those after it.
    """
    own = [next(owners) for _ in segment.words]
    speakers = [owner.speaker for owner in own]
    heard = [at for at, speaker in enumerate(speakers) if speaker]
    for before, at, after in zip(heard, heard[1:], heard[2:], strict=False):
        alone = speakers[before] == speakers[after] != speakers[at]
        if alone and own[at].share < _THROUGHOUT:
            speakers[at] = speakers[before]
    around = list(speakers)
    for at in range(1, len(around)):
        around[at] = around[at] or around[at - 1]
    for at in range(len(around) - 2, -1, -1):
        around[at] = around[at] or around[at + 1]
    words = (replace(word, speaker=own) for word, own in zip(segment.words, speakers, strict=True))
    for speaker, run in groupby(zip(around, words, strict=True), key=itemgetter(0)):
        yield replace(segment, speaker=speaker, words=tuple(word for _, word in run))
