"""`probe` reads headers: what it says agrees with the pixels, and it touches none of them."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from pipeline.errors import CorruptMedia
from pipeline.photo.pixels import decode, probe


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


def _png(*, idat: bytes | None = None, after_pixels: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20), "white").save(buffer, "PNG")
    start, end = buffer.getvalue()[:33], _chunk(b"IEND", b"")
    pixels = buffer.getvalue()[33 : -len(end)] if idat is None else _chunk(b"IDAT", idat)
    return start + pixels + after_pixels + end


def _exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes().removeprefix(b"Exif\0\0")


@pytest.mark.parametrize(("orientation", "size"), [(1, (30, 20)), (3, (30, 20)), (6, (20, 30))])
def test_orientation_is_found_behind_a_pngs_pixels(orientation: int, size: tuple[int, int]) -> None:
    content = _png(after_pixels=_chunk(b"eXIf", _exif(orientation)))

    header, photo = probe(content), decode(content)

    assert (header.width, header.height) == size
    assert photo.rgb.shape == (size[1], size[0], 3)


def test_damaged_pixels_are_not_touched_until_they_are_decoded() -> None:
    content = _png(idat=b"not deflated")

    assert probe(content).width == 30
    with pytest.raises(CorruptMedia):
        decode(content)
