"""Find when each label is heard, from its probability in each window.

Windows overlap, so each one stands for the time around its middle, as long as a hop. The first
window stands for the time from the start of the recording, the last for the time to its end.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from containers.audio_tagger.spec import Probabilities, TaggerSpec

MOST_SPANS: Final = 5000  # of a recording; about 500 kB of JSON
_IDLE: Final = -1


class Span(NamedTuple):
    """A label, by its index, and when it is heard, in seconds. Scores are those of its windows."""

    label: int
    start: float
    end: float
    max_score: float
    mean_score: float


def starts_at(window: int, spec: TaggerSpec) -> float:
    """Return where the time that a window stands for starts, in seconds."""
    return (window * spec.hop + (spec.window - spec.hop) / 2) / spec.rate if window else 0.0


class SpanFinder:
    """Follows all labels through one recording. Its memory does not grow with the recording."""

    def __init__(self, spec: TaggerSpec) -> None:
        self._spec = spec
        self._gap = int(spec.gap_s * spec.rate / spec.hop + 1e-9)  # windows
        self._at = 0  # the next window
        self._on = np.zeros(spec.labels, bool)
        self._first = np.full(spec.labels, _IDLE)
        self._last = np.full(spec.labels, _IDLE)
        self._max = np.zeros(spec.labels)
        self._sum = np.zeros(spec.labels)
        self._windows = np.zeros(spec.labels, int)

    def push(self, found: Probabilities) -> Iterator[Span]:
        """Yield the spans that have ended, as this window shows."""
        self._on = np.where(self._on, found >= self._spec.offset, found >= self._spec.onset)
        begun = self._on & (self._first == _IDLE)
        self._first[begun] = self._at
        self._max[begun] = self._sum[begun] = self._windows[begun] = 0
        self._last[self._on] = self._at
        self._max[self._on] = np.maximum(self._max, found)[self._on]
        self._sum[self._on] += found[self._on]
        self._windows[self._on] += 1
        over = (self._first != _IDLE) & (self._at - self._last > self._gap)
        yield from self._ended(over, least_s=self._spec.least_s)
        self._at += 1

    def finish(self, duration_s: float) -> Iterator[Span]:
        """Yield the open spans. One over the whole recording counts even if it is very short."""
        least_s = min(self._spec.least_s, duration_s)
        yield from self._ended(self._first != _IDLE, least_s=least_s, duration_s=duration_s)

    def _ended(
        self, over: np.ndarray, *, least_s: float, duration_s: float | None = None
    ) -> Iterator[Span]:
        for label in np.flatnonzero(over).tolist():
            first, last = int(self._first[label]), int(self._last[label])
            start, end = starts_at(first, self._spec), starts_at(last + 1, self._spec)
            if duration_s is not None:
                end = duration_s if last == self._at - 1 else min(end, duration_s)
            self._first[label] = _IDLE
            if end - start >= least_s - 1e-9:
                mean = float(self._sum[label] / self._windows[label])
                yield Span(label, start, end, float(self._max[label]), mean)


class BestSpans:
    """At most `most` spans, those with the greatest scores; `left_out` counts the others."""

    def __init__(self, most: int = MOST_SPANS) -> None:
        self._most = most
        self._heap: list[tuple[float, float, Span]] = []
        self.left_out = 0

    def add(self, span: Span) -> None:
        heapq.heappush(self._heap, (span.max_score, -span.start, span))
        if len(self._heap) > self._most:
            heapq.heappop(self._heap)
            self.left_out += 1

    def in_order(self) -> list[Span]:
        """Return the spans by their start, then by label."""
        return sorted((span for _, _, span in self._heap), key=lambda span: (span.start, span))
