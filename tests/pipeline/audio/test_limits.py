"""Limits on recordings hold at their edges, and say what is above them."""

from __future__ import annotations

import pytest

from pipeline.audio import limits
from pipeline.audio.limits import LengthLimit
from pipeline.errors import MediaTooLarge, MediaTooLong, UnsupportedMedia


def test_a_file_of_5_gb_is_the_largest() -> None:
    limits.require_bytes(5_000_000_000)
    with pytest.raises(MediaTooLarge, match=r"5,000,000,001 bytes; the limit is 5,000,000,000"):
        limits.require_bytes(5_000_000_001)


@pytest.mark.parametrize("rate", [4_000, 44_100, 192_000])
def test_these_rates_are_read(rate: int) -> None:
    limits.require_rate(rate)


@pytest.mark.parametrize("rate", [-1, 0, 1, 3_999, 192_001, 4 * 10**9])
def test_these_rates_are_not(rate: int) -> None:
    with pytest.raises(UnsupportedMedia, match=f"{rate:,} samples a second"):
        limits.require_rate(rate)


@pytest.mark.parametrize("channels", [0, 33, 65_535])
def test_so_many_channels_are_not_read(channels: int) -> None:
    limits.require_channels(1)
    limits.require_channels(32)
    with pytest.raises(UnsupportedMedia, match=f"{channels} channels; from 1 to 32"):
        limits.require_channels(channels)


def test_what_flac_cannot_hold_is_not_denoised() -> None:
    limits.require_denoisable(48_000, 8)
    limits.require_denoisable(192_000, 1)
    limits.require_denoisable(65_535, 1)
    with pytest.raises(UnsupportedMedia, match="9 channels; at most 8"):
        limits.require_denoisable(48_000, 9)
    with pytest.raises(UnsupportedMedia, match="96,001 samples"):
        limits.require_denoisable(96_001, 1)


@pytest.mark.parametrize(
    ("channels", "denoised", "hours"), [(2, False, 12), (1, True, 4), (2, True, 2), (8, True, 0.5)]
)
def test_the_limit_on_length_is_exact(channels: int, denoised: bool, hours: float) -> None:  # noqa: FBT001
    limit, most = LengthLimit(8_000, channels, denoised), int(hours * 3600 * 8_000)

    limit.require(most)
    with pytest.raises(MediaTooLong, match=f"more than {hours:g} hours"):
        limit.require(most + 1)
