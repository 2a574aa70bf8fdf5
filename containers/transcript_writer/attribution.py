"""Give every word its speaker, and split segments where the speaker changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

from containers.transcript_writer.scripts import ends_sentence
from containers.transcript_writer.speakers import SpokenTurn
from containers.transcript_writer.stitching import SpokenSegment, Transcript

NEAR_MS: Final = 500  # greatest distance from a word to the turn of its speaker
_TIMING_MS: Final = 200  # how early or late words or turns may be
_THROUGHOUT: Final = 0.5  # share of a word


class _Owner(NamedTuple):
    """The speaker of a word, the share of it with this speaker, and who is heard near it."""

    speaker: str | None
    share: float
    about: frozenset[str]


def attribute(transcript: Transcript, turns: Sequence[SpokenTurn]) -> Transcript:
    """Return the transcript with a speaker for every word in or near a turn.

    A word belongs to the speaker whose turns overlap it most, otherwise to the nearest one within
    `NEAR_MS`, otherwise to nobody. Of two equal ones, it is the speaker of the word before.

    Times of words and turns are exact to one or two tenths of a second, so a single word may seem
    to be another speaker's, which would split a sentence and its subtitle. Within a segment, a
    single word between two words of one other speaker gets that speaker, unless its own is heard
    through half of it. The first and the last word get the speaker of the two words next to them,
    if that speaker is heard within `_TIMING_MS` of them and no sentence ends between.

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
        return _Owner(None, 0.0, frozenset())
    speaker = max(gaps, key=lambda name: (overlaps[name], -gaps[name], name == before))
    about = frozenset(name for name, gap in gaps.items() if gap <= _TIMING_MS)
    return _Owner(speaker, overlaps[speaker] / (end - start), about)


def _split(segment: SpokenSegment, owners: Iterator[_Owner]) -> Iterator[SpokenSegment]:
    """Split a segment into parts of one speaker.

    A word without a speaker stays with the words before it, otherwise with those after it.
    """
    speakers = _mended(segment, [next(owners) for _ in segment.words])
    around = list(speakers)
    for at in range(1, len(around)):
        around[at] = around[at] or around[at - 1]
    for at in range(len(around) - 2, -1, -1):
        around[at] = around[at] or around[at + 1]
    words = (replace(word, speaker=own) for word, own in zip(segment.words, speakers, strict=True))
    for speaker, run in groupby(zip(around, words, strict=True), key=itemgetter(0)):
        yield replace(segment, speaker=speaker, words=tuple(word for _, word in run))


def _mended(segment: SpokenSegment, owners: Sequence[_Owner]) -> list[str | None]:
    """Return the speaker of each word; single words get their sentence's speaker."""
    speakers = [owner.speaker for owner in owners]
    heard = [at for at, speaker in enumerate(speakers) if speaker]
    for before, at, after in zip(heard, heard[1:], heard[2:], strict=False):
        alone = speakers[before] == speakers[after] != speakers[at]
        if alone and owners[at].share < _THROUGHOUT:
            speakers[at] = speakers[before]
    for at, beside, further in (heard[:3], heard[:-4:-1]) if len(heard) > 2 else ():
        alone = speakers[at] != speakers[beside] == speakers[further]
        sentence = ends_sentence(segment.words[min(at, beside)].text)
        if alone and not sentence and speakers[beside] in owners[at].about:
            speakers[at] = speakers[beside]
    return speakers
