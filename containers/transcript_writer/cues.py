"""Cut a transcript into subtitles that can be read: cues of at most two lines.

Limits and times follow Netflix's Timed Text Style Guide (general requirements, and subtitle timing
guidelines): two lines of 42 characters, 5/6 s to 7 s, two frames between cues, gaps of up to half a
second closed, and up to half a second longer than the voice where reading needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, zip_longest
from typing import Final

from containers.transcript_writer.pieces import LINE, Passage, passages_of
from containers.transcript_writer.scripts import width_of
from containers.transcript_writer.stitching import Transcript

LEAST_MS: Final = 833
MOST_MS: Final = 7_000
GAP_MS: Final = 83  # two frames of 24 a second
LINGER_MS: Final = 500  # longer than the voice; also the gap that is closed
COLUMN_MS: Final = 50  # to read one: 20 characters a second

# What a cue costs, beside the strength of the break that ends it.
_CUE: Final = 2.5  # a pause of 0.6 s ends a cue, or 0.1 s after a sentence
_FLASH: Final = 8.0  # shown for no time at all
_HASTE: Final = 3.0  # twice as fast as can be read
_EMPTY: Final = 1.0  # an empty line's worth of text

_UNBALANCED: Final = 3.0  # what a line break costs whose lines differ by a whole line


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle of one speaker: one or two lines, shown from `start` to `end` (ms)."""

    start: int
    end: int
    lines: tuple[str, ...]
    language: str
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class _Draft:
    """A cue by its own words' times."""

    start: int
    end: int
    lines: tuple[str, ...]
    columns: int
    passage: Passage


def cues_of(transcript: Transcript, *, named: bool = False) -> tuple[Cue, ...]:
    """Return the subtitles of a transcript: every word once, in order, none over another.

    With `named`, the first line of each begins with its speaker's name and a colon.
    """
    passages = passages_of(transcript)
    drafts = [draft for passage in passages for draft in _drafts(passage, named=named)]
    starts = _spread([draft.start for draft in drafts], transcript.duration)
    return tuple(
        Cue(
            start=start,
            end=_end(draft, start, after, transcript.duration),
            lines=draft.lines,
            language=draft.passage.language,
            speaker=draft.passage.speaker,
        )
        for draft, start, after in zip_longest(drafts, starts, starts[1:])
    )


def _drafts(passage: Passage, *, named: bool) -> Iterator[_Draft]:
    label = f"{passage.speaker}: " if named and passage.speaker else ""
    pieces = _Ruler(passage, label)
    for first, last in pieces.best_cues():
        yield _Draft(
            start=passage.pieces[first].start,
            end=passage.pieces[last - 1].end,
            lines=pieces.lines(first, last),
            columns=pieces.width(first, last),
            passage=passage,
        )


class _Ruler:
    """Measures runs of pieces, each from `first` to before `last`, below a label."""

    def __init__(self, passage: Passage, label: str) -> None:
        self._pieces = pieces = passage.pieces
        self._until = passage.until
        self._label = label
        self._room = LINE - width_of(label)
        self._ends = [0, *accumulate(piece.width for piece in pieces)]
        self._spaces = [len(piece.text) - len(piece.text.lstrip()) for piece in pieces]

    def width(self, first: int, last: int) -> int:
        """Return the columns of a line: without the space before its first piece."""
        return self._ends[last] - self._ends[first] - self._spaces[first]

    def best_cues(self) -> list[tuple[int, int]]:
        """Return the cues that cost least together, by dynamic programming over their ends."""
        costs = [0.0]
        begins = [0]
        for last in range(1, len(self._pieces) + 1):
            cost, first = min(
                (costs[first] + self._cost(first, last), first) for first in self._firsts(last)
            )
            costs.append(cost)
            begins.append(first)
        cues = []
        last = len(self._pieces)
        while last:
            cues.append((begins[last], last))
            last = begins[last]
        return cues[::-1]

    def lines(self, first: int, last: int) -> tuple[str, ...]:
        """Return one line if the text fits it, else two, broken where it is best.

        A word that has no room beside the label is below it.
        """
        if self.width(first, last) <= self._room:
            return (self._label + self._text(first, last),)
        if last - first == 1:
            return self._label.rstrip(), self._text(first, last)
        middle = max(self._middles(first, last), key=lambda at: self._fitness(first, at, last))
        return self._label + self._text(first, middle), self._text(middle, last)

    def _firsts(self, last: int) -> Iterator[int]:
        """Yield where a cue that ends before `last` may begin."""
        end = self._pieces[last - 1].end
        for first in range(last - 1, -1, -1):
            long = end - self._pieces[first].start > MOST_MS
            if first < last - 1 and (long or not self._fits(first, last)):
                return
            yield first

    def _fits(self, first: int, last: int) -> bool:
        width = self.width(first, last)
        return width <= self._room or (
            width <= self._room + LINE + 1 and next(self._middles(first, last), None) is not None
        )

    def _middles(self, first: int, last: int) -> Iterator[int]:
        """Yield where the second line may begin, from the longest first line to the shortest."""
        for middle in range(last - 1, first, -1):
            if self.width(middle, last) > LINE:
                return
            if self.width(first, middle) <= self._room:
                yield middle

    def _fitness(self, first: int, middle: int, last: int) -> float:
        upper, lower = LINE - self._room + self.width(first, middle), self.width(middle, last)
        return self._pieces[middle - 1].strength - _UNBALANCED * abs(upper - lower) / LINE

    def _cost(self, first: int, last: int) -> float:
        width = self.width(first, last)
        cost = _CUE - self._pieces[last - 1].strength + _EMPTY * max(0.0, 1 - width / LINE) ** 2
        following = self._pieces[last].start if last < len(self._pieces) else self._until
        if following is None:
            return cost  # a long pause follows: there is time
        shown = following - self._pieces[first].start
        if shown < LEAST_MS + GAP_MS:
            cost += _FLASH * (1 - shown / (LEAST_MS + GAP_MS))
        return cost + _HASTE * min(1.0, max(0.0, width * COLUMN_MS / max(shown, LEAST_MS) - 1))

    def _text(self, first: int, last: int) -> str:
        return "".join(piece.text for piece in self._pieces[first:last]).strip()


def _spread(starts: Sequence[int], duration: int) -> list[int]:
    """Move starts by as little as leaves each cue its least time, within the recording."""
    if not starts:
        return []
    hold = min(LEAST_MS + GAP_MS, duration // len(starts))
    later = list(accumulate(starts, lambda before, own: max(own, before + hold)))
    earlier = accumulate(
        reversed(later), lambda after, own: min(own, after - hold), initial=duration
    )
    return list(earlier)[:0:-1]


def _end(draft: _Draft, start: int, following: int | None, duration: int) -> int:
    """Return when a cue ends: late enough to be read, before the next one begins."""
    end = max(
        draft.end, start + LEAST_MS, min(start + draft.columns * COLUMN_MS, draft.end + LINGER_MS)
    )
    if following is None:
        return min(end, start + MOST_MS, duration)
    latest = following - min(GAP_MS, (following - start) // 10)
    return min(latest if end > latest - LINGER_MS else end, start + MOST_MS)
