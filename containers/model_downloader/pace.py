"""Give up on sources that are too slow."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

LEAST_BYTES_PER_S: Final = 64 * 2**10
WINDOW_S: Final = 30.0
_RESERVED_S: Final = 120.0  # to test the model and finish the upload


class TooSlow(OSError):
    """A source sends too little, or has used up the available time."""


@dataclass
class Pace:
    """The pace of one download. All times are readings of `clock`, in seconds."""

    ends_at: float
    clock: Callable[[], float] = time.monotonic
    _since: float = 0.0
    _from_byte: int = 0

    @classmethod
    def ending(cls, call_ends_at: float) -> Pace:
        """Return a pace that leaves time for the work after the download."""
        return cls(call_ends_at - _RESERVED_S)

    def seconds_left(self) -> float:
        return self.ends_at - self.clock()

    def start(self) -> None:
        """Start watching a download, before its first byte."""
        self._since, self._from_byte = self.clock(), 0

    def check(self, received: int) -> None:
        """Raise TooSlow after the end, or if the last window was slower than the minimum rate."""
        now = self.clock()
        if now >= self.ends_at:
            raise TooSlow(f"it ran out of time after {received:,} bytes")
        if now - self._since < WINDOW_S:
            return
        rate = (received - self._from_byte) / (now - self._since)
        if rate < LEAST_BYTES_PER_S:
            raise TooSlow(f"it sends {rate:,.0f} bytes/s; {LEAST_BYTES_PER_S:,} are required")
        self._since, self._from_byte = now, received
