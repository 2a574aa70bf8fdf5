"""Cut running text into pieces, between which a subtitle or a line may end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise, zip_longest
from typing import Final, NamedTuple

from containers.transcript_writer.scripts import (
    breaks_of,
    clusters_of,
    ends_clause,
    ends_sentence,
    width_of,
)
from containers.transcript_writer.stitching import SpokenSegment, SpokenWord, Transcript

LINE: Final = 42  # columns: Netflix, Timed Text Style Guide, for most languages
_LONG_PAUSE: Final = 1_000  # ms; nothing is shown as one across it

# How good a break is. A pause of a second outweighs the end of a sentence, and that a comma.
_PAUSE: Final = 4.0  # a second's worth
_HESITATION: Final = 3.0  # the same inside a clause, which reads badly in two
_SENTENCE: Final = 2.0
_CLAUSE: Final = 1.0
_SHORT: Final = -0.7  # after an article, a preposition or a conjunction, most of which are short
_SHORT_LETTERS: Final = 3
_HARDLY: Final = 0.2  # seconds of pause
_TORN: Final = -5.0  # inside a word that is longer than a line


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that stays on one line, with the space before it; times in ms.

    `strength` says how good a break after it is.
    """

    text: str
    width: int
    start: int
    end: int
    strength: float


@dataclass(frozen=True, slots=True)
class Passage:
    """Pieces in one language by one speaker, without a long pause.

    `until` is when another passage follows without a long pause (ms), or None.
    """

    language: str
    speaker: str | None
    pieces: tuple[Piece, ...]
    until: int | None


def passages_of(transcript: Transcript) -> Iterator[Passage]:
    """Cut a transcript at long pauses and where the language or the speaker changes."""
    ahead: list[SpokenWord] = []
    voice = _Voice("", None)
    for word, own in _words(transcript.segments):
        pause = ahead and word.start - ahead[-1].end > _LONG_PAUSE
        if ahead and (pause or own != voice):
            yield _passage(ahead, voice, None if pause else word.start)
            ahead = []
        ahead.append(word)
        voice = own
    if ahead:
        yield _passage(ahead, voice, None)


class _Voice(NamedTuple):
    language: str
    speaker: str | None


def _words(segments: Iterable[SpokenSegment]) -> Iterator[tuple[SpokenWord, _Voice]]:
    for segment in segments:
        voice = _Voice(segment.language, segment.speaker)
        yield from ((word, voice) for word in segment.words)


def _passage(words: list[SpokenWord], voice: _Voice, until: int | None) -> Passage:
    cuts = [part for each in _timed(words, voice.language) for part in _torn(each)]
    return Passage(*voice, tuple(_judged(cuts)), until)


@dataclass(frozen=True, slots=True)
class _Cut:
    text: str
    start: int
    end: int
    torn: bool = False


def _timed(words: list[SpokenWord], language: str) -> Iterator[_Cut]:
    """Cut the text of `words` wherever it may be, and give each part the times of its words."""
    text = "".join(word.text for word in words)
    ends = list(accumulate(len(word.text) for word in words))
    at = 0
    for first, last in pairwise((0, *breaks_of(text, language), len(text))):
        part = text[first:last]
        while ends[at] <= first:
            at += 1
        start = _time_at(words[at], first + len(part) - len(part.lstrip()), ends[at])
        while ends[at] < last:
            at += 1
        yield _Cut(part, start, max(start, _time_at(words[at], last, ends[at])))


def _time_at(word: SpokenWord, position: int, end: int) -> int:
    """Return when a position of the text is spoken, in a word whose text ends at `end`."""
    letters = len(word.text.lstrip())
    share = (position - (end - letters)) / letters
    return word.start + round((word.end - word.start) * min(max(share, 0.0), 1.0))


def _torn(cut: _Cut) -> Iterator[_Cut]:
    """Cut what is longer than a line between grapheme clusters, and share out its time by width."""
    if width_of(cut.text.strip()) <= LINE:
        yield cut
        return
    lines, line, used = list[str](), "", 0
    for cluster in clusters_of(cut.text.strip()):
        width = width_of(cluster)
        if used + width > LINE:
            lines.append(line)
            line, used = "", 0
        line, used = line + cluster, used + width
    lines.append(line)
    lines[0] = cut.text[: len(cut.text) - len(cut.text.lstrip())] + lines[0]
    ends = list(accumulate(width_of(each) for each in lines))
    times = [cut.start + (cut.end - cut.start) * end // ends[-1] for end in (0, *ends)]
    for each, (start, end) in zip(lines, pairwise(times), strict=True):
        yield _Cut(each, start, end, torn=each is not lines[-1])


def _judged(cuts: list[_Cut]) -> Iterator[Piece]:
    for cut, following in zip_longest(cuts, cuts[1:]):
        pause = max(0.0, (following.start - cut.end) / 1000) if following else 1.0
        ending = _ending(cut)
        strength = (_PAUSE if ending else _HESITATION) * min(pause, 1.0) + ending
        spaced = following is not None and following.text.startswith(" ")
        if spaced and pause < _HARDLY and _is_short(cut.text.strip()):
            strength += _SHORT
        yield Piece(cut.text, width_of(cut.text), cut.start, cut.end, strength)


def _ending(cut: _Cut) -> float:
    if cut.torn:
        return _TORN
    if ends_sentence(cut.text):
        return _SENTENCE
    return _CLAUSE if ends_clause(cut.text) else 0.0


def _is_short(word: str) -> bool:
    return len(word) <= _SHORT_LETTERS and word.isalpha() and word.islower()
