"""Cut a signal that arrives in pieces into windows that overlap."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from containers.audio_tagger.spec import Signal


class Windower:
    """Windows of `window` samples, one every `hop`. The last one is padded with silence.

    Every sample is in a window, and a signal of any length but 0 has at least one.
    """

    def __init__(self, *, window: int, hop: int) -> None:
        self._window, self._hop = window, hop
        self._waiting = np.zeros(0, np.float32)
        self._seen = 0  # samples of those that wait that are in a window already

    def push(self, samples: Signal) -> Iterator[Signal]:
        """Yield the windows that these samples complete."""
        waiting = np.concatenate([self._waiting, samples])
        start = 0
        while len(waiting) - start >= self._window:
            yield waiting[start : start + self._window]
            start += self._hop
            self._seen = self._window - self._hop
        self._waiting = waiting[start:].copy()

    def finish(self) -> Iterator[Signal]:
        """Yield the window of the rest, if there is one."""
        if len(self._waiting) > self._seen:
            yield np.pad(self._waiting, (0, self._window - len(self._waiting)))
