"""Write PNG: one filter for every row, strips of rows compressed in parallel by ISA-L.

A seventh of Pillow's processor time at the same level, for files of about the same size, and
divided among the call's threads: see docs/decisions/0012.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

import numpy as np
from isal import isal_zlib

from pipeline.parallel import each
from pipeline.photo.colour.conversion import Pixels

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES: Final = {1: 0, 3: 2, 4: 6}  # grey, RGB, RGBA
_UP: Final = 2  # the filter: each byte minus the byte above
_LEVEL: Final = 1
_STRIP_BYTES: Final = 2**20
_ADLER_MODULUS: Final = 65521
_ZLIB_HEADER: Final = b"\x78\x01"
_INCHES_PER_METRE: Final = 1 / 0.0254


class _Strip(NamedTuple):
    """Some rows, filtered and deflated; checksum and number of the filtered bytes."""

    deflated: bytes
    adler: int
    bytes: int


def encode_png(
    pixels: Pixels, *, icc_profile: bytes | None = None, dpi: tuple[float, float] | None = None
) -> bytes:
    """Encode H×W grey, H×W×3 RGB or H×W×4 straight-alpha RGBA pixels as an 8-bit PNG."""
    height, width = pixels.shape[:2]
    colour_type = _COLOUR_TYPES[pixels.size // (height * width)]
    chunks = [_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0))]
    if icc_profile:
        chunks.append(_chunk(b"iCCP", b"ICC Profile\0\0" + isal_zlib.compress(icc_profile)))
    if dpi:
        per_metre = (round(dots * _INCHES_PER_METRE) for dots in dpi)
        chunks.append(_chunk(b"pHYs", struct.pack(">IIB", *per_metre, 1)))
    chunks += [_chunk(b"IDAT", data) for data in _zlib_stream(pixels.reshape(height, -1))]
    return b"".join([_SIGNATURE, *chunks, _chunk(b"IEND", b"")])


def _zlib_stream(rows: Pixels) -> list[bytes]:
    """Return H×(bytes per row) as one zlib stream of filtered rows, in pieces."""
    step = max(1, _STRIP_BYTES // rows.shape[1])
    tops = range(0, rows.shape[0], step)
    strips = each(tops, lambda top: _deflate(rows, top, top + step))
    adler = 1
    for strip in strips:
        adler = _joined(adler, strip)
    return [_ZLIB_HEADER, *(strip.deflated for strip in strips), struct.pack(">I", adler)]


def _deflate(rows: Pixels, top: int, bottom: int) -> _Strip:
    strip = rows[top:bottom]
    filtered = np.empty((strip.shape[0], strip.shape[1] + 1), dtype=np.uint8)
    filtered[:, 0] = _UP
    above = rows[top - 1] if top else np.uint8(0)
    np.subtract(strip[0], above, out=filtered[0, 1:])
    np.subtract(strip[1:], strip[:-1], out=filtered[1:, 1:])
    stream = isal_zlib.compressobj(_LEVEL, wbits=-isal_zlib.MAX_WBITS)
    last = bottom >= rows.shape[0]
    ending = isal_zlib.Z_FINISH if last else isal_zlib.Z_SYNC_FLUSH
    body = stream.compress(filtered.data) + stream.flush(ending)
    return _Strip(body, isal_zlib.adler32(filtered.data), filtered.size)


def _joined(adler: int, strip: _Strip) -> int:
    """Return the Adler-32 checksum of the bytes that `adler` covers followed by the strip."""
    low, high = adler & 0xFFFF, adler >> 16
    both = (low + (strip.adler & 0xFFFF) - 1) % _ADLER_MODULUS
    sums = (high + (strip.adler >> 16) + strip.bytes * (low - 1)) % _ADLER_MODULUS
    return sums << 16 | both


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = isal_zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)
