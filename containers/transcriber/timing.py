"""Times of words: from tokens to the recording, kept out of silence, in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from containers.transcriber.slices import Slice
from containers.transcriber.sound import Sound
from containers.transcriber.tokens import WordTokens
from containers.transcriber.whisper import TokenTimes
from pipeline.contracts.audio_windows import Span
from pipeline.contracts.transcript import Word

SHORTEST_S: Final = 0.02  # one step of the encoder
_BRIEF_S: Final = 0.2  # silence that a word may contain: the stop before a "t"
_QUIET_DB: Final = 30.0  # below a word's loudest 10 ms, its end is silence
_LEAST_TRIM_S: Final = 0.06
_LONGEST_S: Final = 1.0  # of a word, and a tenth of a second for each of its letters
_DOUBTFUL_SCORE: Final = 0.15  # such a word may have been given the time of words that are missing


@dataclass(frozen=True)
class TimedWord:
    """A word in the recording's time. `heard` is False if all of its time is in a silence."""

    text: str
    start: float
    end: float
    score: float
    aligned: bool
    heard: bool = True

    @property
    def word(self) -> Word:
        return Word(
            text=self.text,
            start=round(self.start, 3),
            end=round(self.end, 3),
            score=round(min(max(self.score, 0.0), 1.0), 4),
            aligned=self.aligned,
        )


def timed_words(
    words: Sequence[WordTokens], times: TokenTimes, one: Slice, sound: Sound
) -> list[TimedWord]:
    """Return words in the recording's time, in order, none of them in a silence.

    A word to which the model gave no time of its own gets an estimate: `aligned` is False.
    """
    timed = [_placed(word, times, one) for word in words]
    kept = [_out_of_silence(word, one.speech, sound) for word in timed]
    return spread(in_order(kept), one.start, one.end)


def in_order(words: Iterable[TimedWord]) -> list[TimedWord]:
    """Return the words with no start before the end of an earlier one."""
    ordered: list[TimedWord] = []
    latest = float("-inf")
    for word in words:
        start = max(word.start, latest)
        end = max(word.end, start)
        ordered.append(replace(word, start=start, end=end))
        latest = end
    return ordered


def spread(words: Sequence[TimedWord], start: float, end: float) -> list[TimedWord]:
    """Give words without duration a part of the time between their neighbours, by letters.

    Without such time, they share the neighbours' own.
    """
    spread_out = list(words)
    brief = [word.end - word.start < SHORTEST_S for word in words]
    for _, group in groupby(range(len(words)), key=brief.__getitem__):
        places = list(group)
        first, last = places[0], places[-1] + 1
        if brief[first]:
            spread_out[first:last] = _shared_out(spread_out, first, last, start, end)
    return spread_out


def _shared_out(
    words: list[TimedWord], first: int, last: int, start: float, end: float
) -> list[TimedWord]:
    """Return the words from `first` to before `last` with estimates, and shorten neighbours."""
    group = words[first:last]
    needed = 2 * SHORTEST_S * len(group)
    low = words[first - 1].end if first else min(start, group[0].start)
    high = words[last].start if last < len(words) else max(end, low)
    if high - low < needed and first:
        before = words[first - 1]
        taken = min(needed - (high - low), (before.end - before.start) / 2)
        words[first - 1] = replace(before, end=before.end - taken)
        low -= taken
    if high - low < needed and last < len(words):
        after = words[last]
        taken = min(needed - (high - low), (after.end - after.start) / 2)
        words[last] = replace(after, start=after.start + taken)
        high += taken
    high = min(high, low + sum(_usual_s(word.text) for word in group))
    letters = [max(1, len(word.text.strip())) for word in group]
    at, estimated = low, []
    for word, count in zip(group, letters, strict=True):
        until = at + (high - low) * count / sum(letters)
        estimated.append(replace(word, start=at, end=until, aligned=False))
        at = until
    return estimated


def _usual_s(text: str) -> float:
    return 0.1 + 0.07 * len(text.strip())


def _placed(word: WordTokens, times: TokenTimes, one: Slice) -> TimedWord:
    """Return a word where the model heard it. Punctuation is no part of its time."""
    start, end = float(times.starts[word.first]), float(times.starts[word.spoken])
    probabilities = times.probabilities[word.first : word.last]
    score = float(probabilities.mean()) if len(probabilities) else 0.0
    first, last = one.interval(start, end)
    return TimedWord(word.text, first, last, score, aligned=True)


def _out_of_silence(word: TimedWord, speech: Sequence[Span], sound: Sound) -> TimedWord:
    """Cut a word down to the span of speech that has most of it, and to what is loud in it."""
    spans = bridged(speech, _BRIEF_S)
    span = max(spans, key=lambda one: min(one.end, word.end) - max(one.start, word.start))
    start, end = max(word.start, span.start), min(word.end, span.end)
    if end <= start:
        at = min(max(word.start, span.start), span.end)
        return replace(word, start=at, end=at, heard=word.end - word.start < SHORTEST_S)
    if word.score < _DOUBTFUL_SCORE:
        start = max(start, end - _usual_s(word.text))
    end = min(end, start + _LONGEST_S + 0.1 * len(word.text.strip()))
    loud = sound.last_loud(start, end, below_peak_db=_QUIET_DB)
    if end - loud >= _LEAST_TRIM_S:
        end = max(loud, start + SHORTEST_S)
    return replace(word, start=start, end=end)


def bridged(speech: Iterable[Span], brief: float) -> list[Span]:
    """Join spans with at most so many seconds between them."""
    joined: list[Span] = []
    for span in speech:
        if joined and span.start - joined[-1].end <= brief:
            joined[-1] = Span(start=joined[-1].start, end=max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined
