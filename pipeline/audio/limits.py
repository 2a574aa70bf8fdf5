"""Limits on recordings: above what people record, below what a function can hold or finish.

They count what is decoded. A header can state anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pipeline.errors import MediaTooLarge, MediaTooLong, UnsupportedMedia

MAX_BYTES: Final = 5 * 10**9
MIN_RATE: Final = 4_000  # samples a second
MAX_RATE: Final = 192_000
MAX_CHANNELS: Final = 32
MAX_HOURS: Final = 12
MAX_DENOISED_CHANNELS: Final = 8  # FLAC has no more
MAX_DENOISED_CHANNEL_HOURS: Final = 4
MAX_FINE_RATE: Final = 65_535  # above it, FLAC's frames state rates in tens

_SECONDS: Final = 3600  # in an hour


def require_bytes(count: int) -> None:
    """Raise MediaTooLarge if a file of `count` bytes is above the limit."""
    if count > MAX_BYTES:
        raise MediaTooLarge(f"file of {count:,} bytes; the limit is {MAX_BYTES:,}")


def require_rate(rate: int) -> None:
    """Raise UnsupportedMedia for a number of samples a second that no recorder writes."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise UnsupportedMedia(
            f"{rate:,} samples a second; from {MIN_RATE:,} to {MAX_RATE:,} are supported"
        )


def require_channels(channels: int) -> None:
    """Raise UnsupportedMedia if there is no channel, or more channels than the limit."""
    if not 1 <= channels <= MAX_CHANNELS:
        raise UnsupportedMedia(f"{channels} channels; from 1 to {MAX_CHANNELS} are supported")


def require_denoisable(rate: int, channels: int) -> None:
    """Raise UnsupportedMedia if FLAC cannot hold the recording as it is, to be denoised."""
    if channels > MAX_DENOISED_CHANNELS:
        raise UnsupportedMedia(
            f"{channels} channels; at most {MAX_DENOISED_CHANNELS} can be denoised"
        )
    if rate > MAX_FINE_RATE and rate % 10:
        raise UnsupportedMedia(f"{rate:,} samples a second cannot be denoised: FLAC has no such")


@dataclass(frozen=True)
class LengthLimit:
    """How long one recording may last: `denoised`, the limit is shared by its channels."""

    rate: int
    channels: int
    denoised: bool

    def require(self, frames: int) -> None:
        """Raise MediaTooLong if so many samples of each channel are above a limit."""
        hours = frames / self.rate / _SECONDS
        if hours > MAX_HOURS:
            raise MediaTooLong(f"more than {MAX_HOURS} hours of sound, which is the limit")
        if self.denoised and hours * self.channels > MAX_DENOISED_CHANNEL_HOURS:
            most = MAX_DENOISED_CHANNEL_HOURS / self.channels
            raise MediaTooLong(
                f"more than {most:.3g} hours of {self.channels} channels, which is the most that "
                f"can be denoised"
            )
