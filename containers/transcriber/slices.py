"""Slices: at most 30 s of speech each, packed from the spans in which somebody speaks.

The encoder takes as long for one second as for thirty, so a slice joins neighbouring spans and
leaves out the long silences between them. Its pieces lead back to the time of the recording.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from containers.transcriber.mel import RATE, SLICE_S, Samples
from containers.transcriber.sound import Sound
from pipeline.contracts.audio_windows import Span

_MARGIN_S: Final = 0.2  # of silence around speech: a consonant may be in it
_JOINED_S: Final = 1.0  # shorter pauses stay as they are; longer ones shrink to two margins
_LONGEST_S: Final = 28.0  # a longer span is cut where it is quietest
_EARLIEST_CUT_S: Final = 18.0
_SHORTEST_HALF_S: Final = 1.0
_CHANGE_S: Final = 1.5  # a pause at which the speaker or the language may change
_FULL_ENOUGH_S: Final = 15.0  # a slice of that length ends at such a pause


@dataclass(frozen=True)
class Piece:
    """Sound of the recording from `start` to `end`, which begins `at` seconds into its slice."""

    at: float
    start: float
    end: float


@dataclass(frozen=True)
class Slice:
    """What the model hears at once. `speech` are the spans in it, in the recording's time."""

    pieces: tuple[Piece, ...]
    speech: tuple[Span, ...]

    @classmethod
    def of(cls, speech: Sequence[Span], sound: Sound) -> Slice:
        """Return the slice of these spans, which are in order."""
        joined: list[list[float]] = []
        for span in speech:
            start, end = max(sound.start, span.start - _MARGIN_S), span.end + _MARGIN_S
            if joined and start - joined[-1][1] < _JOINED_S - 2 * _MARGIN_S:
                joined[-1][1] = min(sound.end, end)
            else:
                joined.append([start, min(sound.end, end)])
        lengths = [end - start for start, end in joined]
        starts = itertools.accumulate([0.0, *lengths])
        pieces = (Piece(at, start, end) for at, (start, end) in zip(starts, joined, strict=False))
        return cls(tuple(pieces), tuple(speech))

    @property
    def seconds(self) -> float:
        """How long the model hears it."""
        return self.pieces[-1].at + self.pieces[-1].end - self.pieces[-1].start

    @property
    def speech_s(self) -> float:
        return sum(span.end - span.start for span in self.speech)

    @property
    def start(self) -> float:
        return self.speech[0].start

    @property
    def end(self) -> float:
        return self.speech[-1].end

    @property
    def longest_pause_s(self) -> float:
        """How long nobody speaks between two of its spans, at most; 0 if it has one span."""
        pairs = itertools.pairwise(self.speech)
        return max((after.start - before.end for before, after in pairs), default=0.0)

    def samples(self, sound: Sound) -> Samples:
        """Return its sound, 16 kHz, at most 30 s."""
        parts = [sound.between(piece.start, piece.end) for piece in self.pieces]
        return np.concatenate(parts)[: SLICE_S * RATE]

    def interval(self, start: float, end: float) -> tuple[float, float]:
        """Return an interval of the slice in the recording's time.

        If it crosses the place where two pieces meet, it is the part in the piece that has most of
        it: nothing is said in the silence that was left out.
        """
        piece = max(self.pieces, key=lambda one: _shared(one, start, end))
        length = piece.end - piece.start
        inside = (min(max(at - piece.at, 0.0), length) for at in (start, end))
        first, last = (piece.start + at for at in inside)
        return first, last

    def cut(self, sound: Sound) -> tuple[Slice, Slice] | None:
        """Return its halves, cut at the largest pause; None if it is too short to cut.

        A slice of one span is cut where it is quietest.
        """
        pairs = list(itertools.pairwise(self.speech))
        places = [
            (after.start - before.end, index)
            for index, (before, after) in enumerate(pairs, 1)
            if min(before.end - self.start, self.end - after.start) >= _SHORTEST_HALF_S
        ]
        if places:
            _, index = max(places)
            halves = self.speech[:index], self.speech[index:]
        elif self.end - self.start >= 4 * _SHORTEST_HALF_S:
            quarter = (self.end - self.start) / 4
            at = sound.quietest(self.start + quarter, self.end - quarter)
            halves = tuple(_until(self.speech, at)), tuple(_from(self.speech, at))
        else:
            return None
        first, second = (Slice.of(half, sound) for half in halves)
        return first, second


def slices_of(speech: Iterable[Span], sound: Sound) -> list[Slice]:
    """Return slices with all spans that have any sound, as few as fill up in order."""
    slices: list[Slice] = []
    waiting: list[Span] = []
    for span in (short for long in speech for short in _cut_long(long, sound)):
        if sound.silent(span.start, span.end):
            continue
        if waiting and _is_full(waiting, span, sound):
            slices.append(Slice.of(waiting, sound))
            waiting = []
        waiting.append(span)
    return [*slices, Slice.of(waiting, sound)] if waiting else slices


def _is_full(waiting: Sequence[Span], span: Span, sound: Sound) -> bool:
    """Return True if a slice of the waiting spans should not take another one."""
    pause = span.start - waiting[-1].end
    if pause >= _CHANGE_S and Slice.of(waiting, sound).seconds >= _FULL_ENOUGH_S:
        return True
    return Slice.of([*waiting, span], sound).seconds > SLICE_S


def _cut_long(span: Span, sound: Sound) -> Iterator[Span]:
    """Yield parts that fit a slice, cut where the span is quietest."""
    start = span.start
    while span.end - start > _LONGEST_S:
        at = sound.quietest(start + _EARLIEST_CUT_S, start + _LONGEST_S)
        yield Span(start=start, end=at)
        start = at
    yield Span(start=start, end=span.end)


def _shared(piece: Piece, start: float, end: float) -> float:
    """Return how much of an interval of the slice is in a piece; less than 0 is its distance."""
    return min(end, piece.at + piece.end - piece.start) - max(start, piece.at)


def _until(speech: Iterable[Span], at: float) -> Iterator[Span]:
    for span in speech:
        if span.start < at:
            yield Span(start=span.start, end=min(span.end, at))


def _from(speech: Iterable[Span], at: float) -> Iterator[Span]:
    for span in speech:
        if span.end > at:
            yield Span(start=max(span.start, at), end=span.end)
