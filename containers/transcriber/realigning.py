"""Time the words of segments again with a CTC network, where it knows the language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from containers.transcriber.ctc import Aligned, LogProbabilities, align
from containers.transcriber.mel import RATE, Samples
from containers.transcriber.segments import segment_of
from containers.transcriber.sound import Sound
from containers.transcriber.spec import CtcSpec
from containers.transcriber.timing import TimedWord, in_order, spread
from pipeline.contracts.transcript import Segment

PIECE_S: Final = 15.0  # the memory of a run grows with the square of its length
_MARGIN_S: Final = 0.3
_DISAGREEMENT_S: Final = 1.0  # a word that the network puts further away was mistaken for another

Listen = Callable[[Samples], LogProbabilities]


def realigned(
    segments: Iterable[Segment], sound: Sound, spec: CtcSpec, listen: Listen
) -> list[Segment]:
    """Return the segments with new times for words in the network's language.

    A word keeps its times if the network cannot align it, or disagrees by more than a second. If
    the alphabet cannot spell it, `aligned` is False: its neighbours bound its times.
    """
    return [
        segment_of(_retimed(each, sound, spec, listen), each.language)
        if each.language == spec.language and each.words
        else each
        for each in segments
    ]


def _retimed(segment: Segment, sound: Sound, spec: CtcSpec, listen: Listen) -> list[TimedWord]:
    words = [
        TimedWord(word.text, word.start, word.end, word.score, word.aligned)
        for word in segment.words
    ]
    timed = [word for piece in _pieces(words) for word in _piece_timed(piece, sound, spec, listen)]
    return spread(in_order(_between(timed)), segment.start, segment.end)


def _pieces(words: Sequence[TimedWord]) -> Iterator[list[TimedWord]]:
    piece: list[TimedWord] = []
    for word in words:
        if piece and word.end - piece[0].start > PIECE_S - 2 * _MARGIN_S:
            yield piece
            piece = []
        piece.append(word)
    yield piece


def _piece_timed(
    words: list[TimedWord], sound: Sound, spec: CtcSpec, listen: Listen
) -> list[TimedWord]:
    start = max(sound.start, words[0].start - _MARGIN_S)
    samples = sound.between(start, min(words[-1].end + _MARGIN_S, start + PIECE_S))
    if len(samples) < spec.step * 2:
        return words
    found = align(listen(samples), [word.text for word in words], spec)
    if found is None:
        return words
    step = spec.step / RATE
    return [_timed(word, steps, start, step) for word, steps in zip(words, found, strict=True)]


def _timed(word: TimedWord, steps: Aligned | None, start: float, step: float) -> TimedWord:
    if steps is None:
        return replace(word, aligned=False)
    first, last = start + steps.first * step, start + steps.last * step
    if abs(first - word.start) > _DISAGREEMENT_S:
        return word
    return replace(word, start=first, end=last, aligned=True)


def _between(words: Sequence[TimedWord]) -> list[TimedWord]:
    """End each word that was not aligned where the next aligned one starts, at the latest."""
    bounded: list[TimedWord] = []
    latest = float("inf")
    for word in reversed(words):
        if word.aligned:
            latest = word.start
        else:
            word = replace(word, start=min(word.start, latest), end=min(word.end, latest))  # noqa: PLW2901
        bounded.append(word)
    return bounded[::-1]
