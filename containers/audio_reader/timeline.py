"""Keep samples at their time: what is missing in a file becomes silence of the same length."""

from __future__ import annotations

from typing import Final

_TOLERANCE_S: Final = 0.05  # files state times in milliseconds, or in the frames of a film
_LONGEST_GAP_S: Final = 3600  # a longer jump is a mistaken time, not an hour of silence


class Timeline:
    """Counts the samples of each channel against the times that the file states.

    `start_s` is the time at which a film begins: its sound may begin later. A recording without
    pictures begins with its sound, so `start_s` is None. `filled` are the samples of silence, but
    for those before the first sound.
    """

    def __init__(self, rate: int, start_s: float | None) -> None:
        self._rate = rate
        self._start_s = start_s
        self.position = 0
        self.filled = 0

    def gap_before(self, time_s: float | None) -> int:
        """Return the samples of silence that bring the next samples to their time.

        Times that run behind the samples, or far ahead, are not believed: those after them count
        from here.
        """
        if time_s is None:
            return 0
        here_s = self.position / self._rate
        if self._start_s is None:
            self._start_s = time_s - here_s
        late_s = time_s - self._start_s - here_s
        if -_TOLERANCE_S <= late_s <= _TOLERANCE_S:
            return 0
        if late_s < 0 or late_s > _LONGEST_GAP_S:
            self._start_s += late_s
            return 0
        gap = round(late_s * self._rate)
        self.filled += gap if self.position else 0
        return gap

    def advance(self, samples: int) -> None:
        self.position += samples
