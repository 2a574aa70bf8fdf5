"""TIFF: tags, strips and tiles are limited; pixels without a decoder are UnsupportedMedia."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from pipeline.errors import MediaTooLarge, UnsupportedMedia
from pipeline.photo.pixels import decode, probe
from tests.pipeline.photo.handmade import tiff, tiff_entries
from tests.pipeline.photo.pictures import drawn


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tile_is_limited_like_a_photo(order: str) -> None:
    tiles = tiff_entries(0, t322=(4, [20_000]), t323=(4, [20_000]), t324=(4, [-1]), t325=(4, [9]))

    with pytest.raises(MediaTooLarge, match="TIFF tile of 20000 × 20000 pixels"):
        probe(tiff(tiles, bytes(9), order=order))


def test_a_tile_in_16_bit_numbers_is_limited_too() -> None:
    tiles = tiff_entries(0, t322=(3, [20_000]), t323=(3, [20_000]), t324=(4, [-1]), t325=(4, [9]))

    with pytest.raises(MediaTooLarge, match="TIFF tile of 20000 × 20000 pixels"):
        probe(tiff(tiles, bytes(9), order=">"))


def test_strips_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    strips = tiff_entries(9, t273=(4, [8] * 20), t279=(4, [0] * 20))
    monkeypatch.setattr("pipeline.photo.tiff.MAX_STRIPS", 19)

    with pytest.raises(MediaTooLarge, match="20 TIFF strips or tiles; the limit is 19"):
        probe(tiff(strips, b""))


def test_tags_are_counted() -> None:
    many = b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0" + struct.pack("<Q", 2**40) + bytes(400)

    with pytest.raises(MediaTooLarge, match="1,099,511,627,776 TIFF tags; the limit is 65,536"):
        probe(many)


def test_rgb_of_16_bits_is_reduced_to_8() -> None:
    strip = (drawn().astype("<u2") * 257).tobytes()
    photo = decode(tiff(tiff_entries(len(strip), t258=(3, [16, 16, 16])), strip))

    np.testing.assert_array_equal(photo.rgb, drawn())


def test_rgb_of_32_bits_is_unsupported_and_not_corrupt() -> None:
    deep = tiff_entries(9, t258=(3, [32, 32, 32]))

    with pytest.raises(UnsupportedMedia, match="unsupported TIFF pixel format, such as 32-bit RGB"):
        probe(tiff(deep, bytes(9)))
