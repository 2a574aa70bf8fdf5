"""Put the words of all windows in one order, in whole milliseconds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from containers.transcript_writer.scripts import is_written_without_spaces
from containers.transcript_writer.windows import TranscribedWindow
from pipeline.contracts.audio_windows import Window
from pipeline.contracts.transcript import Segment

_SPACES: Final = re.compile(r"\s+")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word, with the space before it where there is one: the texts of all words are the text.

    It has no speaker where nobody's turn is near, or speakers are not told apart.
    """

    text: str
    start: int
    end: int
    score: float
    aligned: bool
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class SpokenSegment:
    """A sentence or a part of one, of one speaker if any; it has at least one word."""

    language: str
    words: tuple[SpokenWord, ...]
    speaker: str | None = None

    @property
    def start(self) -> int:
        return self.words[0].start

    @property
    def end(self) -> int:
        return self.words[-1].end

    @property
    def running_text(self) -> str:
        """Return the text with the space that separates it from the segment before."""
        return "".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in a recording. Times are milliseconds from its start.

    Starts never fall from word to word, and no word ends after the next one starts.
    """

    duration: int
    segments: tuple[SpokenSegment, ...]

    @property
    def words(self) -> int:
        return sum(len(segment.words) for segment in self.segments)

    @property
    def languages(self) -> tuple[str, ...]:
        """Return the languages spoken, the one with most words first."""
        count = Counter[str]()
        for segment in self.segments:
            count[segment.language] += len(segment.words)
        return tuple(language for language, _ in count.most_common())


def stitch(windows: Sequence[TranscribedWindow], *, duration_s: float) -> Transcript:
    """Join the windows' segments. Raises ValueError if a segment's words are not its text."""
    duration = _milliseconds(duration_s)
    segments = [
        spoken
        for window, said in windows
        for segment in said.segments
        if (spoken := _spoken(segment, window, duration))
    ]
    return Transcript(duration, tuple(_spaced(_ordered(segments))))


def _spoken(segment: Segment, window: Window, duration: int) -> SpokenSegment | None:
    """Clean the words, and keep their times within the window. None if nothing is written."""
    said = "".join(word.text for word in segment.words)
    if said.split() != segment.text.split():
        # Not the words themselves: errors are logged.
        at = f"window {window.index}, at {segment.start} s"
        raise ValueError(f"{at}: the text of a segment is not the text of its words")
    first, last = _milliseconds(window.start), min(_milliseconds(window.end), duration)
    words: list[SpokenWord] = []
    space = ""
    for word in segment.words:
        text = _CONTROLS.sub("", _SPACES.sub(" ", space + word.text))
        if not text.strip():
            space = text
            continue
        start, end = (min(max(_milliseconds(time), first), last) for time in (word.start, word.end))
        words.append(SpokenWord(text.rstrip(), start, max(start, end), word.score, word.aligned))
        space = text[len(text.rstrip()) :]
    return SpokenSegment(segment.language, tuple(words)) if words else None


def _ordered(segments: Iterable[SpokenSegment]) -> Iterator[SpokenSegment]:
    """Let no word start before the one before it, and end none after the next one starts."""
    segments = tuple(segments)
    starts: list[int] = []
    for word in (word for segment in segments for word in segment.words):
        starts.append(max(word.start, starts[-1] if starts else 0))
    at = 0
    for segment in segments:
        words = []
        for word in segment.words:
            start, after = starts[at], starts[at + 1] if at + 1 < len(starts) else word.end
            end = min(max(start, word.end), max(start, after))
            words.append(replace(word, start=start, end=end))
            at += 1
        yield replace(segment, words=tuple(words))


def _spaced(segments: Iterable[SpokenSegment]) -> Iterator[SpokenSegment]:
    """Give a segment's first word a space, except at the start and between CJK characters."""
    before = ""
    for segment in segments:
        first, *others = segment.words
        text = first.text.lstrip()
        joined = is_written_without_spaces(before[-1:]) and is_written_without_spaces(text[0])
        space = "" if joined or not before else " "
        yield replace(segment, words=(replace(first, text=space + text), *others))
        before = segment.words[-1].text


def _milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))
