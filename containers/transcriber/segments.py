"""Segments: words of one language, from one full stop or pause to the next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from containers.transcriber.timing import TimedWord, bridged
from pipeline.contracts.audio_windows import Span
from pipeline.contracts.transcript import Segment

# Full stops of all scripts: Latin, Chinese (full width), Devanagari, Arabic, Urdu, Ethiopic.
_SENTENCE_ENDS: Final = tuple(".!?…。\uff01\uff1f।؟\u06d4።")
_CLOSING: Final = "\"'”\N{RIGHT SINGLE QUOTATION MARK}»)]」』"
_PAUSE_S: Final = 1.5
_LONGEST_S: Final = 20.0  # a longer one is cut where its speaker pauses most
_DOUBTFUL_SCORE: Final = 0.15
_LEAST_HEARD: Final = 0.5  # share of a segment's words that are where somebody speaks


def sentences(words: Sequence[TimedWord]) -> list[list[TimedWord]]:
    """Split words after full stops and at pauses, and where a sentence is very long."""
    found: list[list[TimedWord]] = []
    for word in words:
        before = found[-1][-1] if found else None
        if before is None or _ends(before.text) or word.start - before.end > _PAUSE_S:
            found.append([])
        found[-1].append(word)
    return [part for sentence in found for part in _short(sentence)]


def invented(words: Sequence[TimedWord]) -> bool:
    """Return True for words that the model made up: it believes none, or they are in silence."""
    heard = sum(word.heard for word in words)
    if heard < _LEAST_HEARD * len(words):
        return True
    return all(word.score < _DOUBTFUL_SCORE for word in words)


def segment_of(words: Sequence[TimedWord], language: str) -> Segment:
    """Return the segment of these words, of which there is at least one."""
    return Segment(
        start=words[0].word.start,
        end=words[-1].word.end,
        text="".join(word.text for word in words).strip(),
        language=language,
        words=tuple(word.word for word in words),
    )


def coverage(segments: Iterable[Segment], speech: Sequence[Span]) -> float:
    """Return the share of speech, by time, that segments cover; 1 if nobody speaks."""
    total = sum(span.end - span.start for span in speech)
    covered = total - sum(span.end - span.start for span in uncovered(segments, speech))
    return round(covered / total, 4) if total > 0 else 1.0


def uncovered(segments: Iterable[Segment], speech: Sequence[Span]) -> list[Span]:
    """Return the parts of speech in which no segment is."""
    written = bridged((Span(start=each.start, end=each.end) for each in segments), 0.0)
    left: list[Span] = []
    for span in speech:
        at = span.start
        for one in written:
            if one.end > at and one.start < span.end:
                if one.start > at:
                    left.append(Span(start=at, end=one.start))
                at = max(at, one.end)
        if at < span.end:
            left.append(Span(start=at, end=span.end))
    return left


def _ends(text: str) -> bool:
    return text.strip().rstrip(_CLOSING).endswith(_SENTENCE_ENDS)


def _short(words: list[TimedWord]) -> list[list[TimedWord]]:
    """Cut a long sentence at its longest pause, the later one of two, until all parts are short."""
    if len(words) < 2 or words[-1].end - words[0].start <= _LONGEST_S:
        return [words]
    pauses = [
        (after.start - before.end, index)
        for index, (before, after) in enumerate(pairwise(words), 1)
    ]
    _, index = max(pauses)
    return [*_short(words[:index]), *_short(words[index:])]
