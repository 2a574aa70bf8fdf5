"""The sound of one window, addressed by seconds of the recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from containers.transcriber.mel import RATE, Samples

_FRAME: Final = RATE // 100  # 10 ms
_SMOOTHED: Final = 20  # frames: the shortest pause between words that counts
_SILENCE_DB: Final = -70.0  # of full scale: a few steps of 16 bits


@dataclass(frozen=True)
class Sound:
    """Mono samples at 16 kHz, of which the first is at `start` seconds."""

    samples: Samples
    start: float

    @property
    def end(self) -> float:
        return self.start + len(self.samples) / RATE

    def between(self, start: float, end: float) -> Samples:
        """Return the samples from one time to another, as far as there are any."""
        first, last = (max(0, round((at - self.start) * RATE)) for at in (start, end))
        return self.samples[first:last]

    def quietest(self, start: float, end: float) -> float:
        """Return the middle of the quietest 200 ms between two times."""
        levels = self._levels(start, end)
        if len(levels) <= _SMOOTHED:
            return (start + end) / 2
        power = np.convolve(10 ** (levels / 10), np.ones(_SMOOTHED), mode="valid")
        return start + (int(power.argmin()) + _SMOOTHED / 2) * _FRAME / RATE

    def last_loud(self, start: float, end: float, *, below_peak_db: float) -> float:
        """Return where the last 10 ms end that are at most so far below the loudest 10 ms."""
        levels = self._levels(start, end)
        if not len(levels):
            return end
        (loud,) = np.nonzero(levels >= levels.max() - below_peak_db)
        return min(end, start + (int(loud[-1]) + 1) * _FRAME / RATE)

    def silent(self, start: float, end: float) -> bool:
        """Return True if even the loudest 10 ms are as quiet as the noise of 16 bits."""
        levels = self._levels(start, end)
        return not len(levels) or float(levels.max()) < _SILENCE_DB

    def _levels(self, start: float, end: float) -> Samples:
        """Return the level of every 10 ms."""
        samples = self.between(start, end)
        return _decibels(samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME))


def _decibels(frames: Samples) -> Samples:
    power = np.square(frames).mean(axis=1) if frames.size else np.zeros(len(frames))
    levels: Samples = 10 * np.log10(np.maximum(power, 1e-12))
    return levels
