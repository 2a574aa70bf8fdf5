"""Check that untrusted bytes are an 8-bit grey PNG of one exact size, and no more.

The standard library alone: the HTTP API, which has no decoder of photos, checks what callers send.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_FILTERS: Final = 5
_AROUND: Final = 12  # bytes of a chunk beside its body: length, kind and checksum


def require_grey_png(content: bytes, *, width: int, height: int) -> None:
    """Raise ValueError unless the PNG has this size, one channel of 8 bits, and nothing else.

    Nothing else means: no other chunks, no interlacing, no bytes after the end. At most the bytes
    of its rows are unpacked.
    """
    chunks = list(_chunks(content))
    kinds = [kind for kind, _ in chunks]
    if len(kinds) < 3 or kinds != [b"IHDR", *[b"IDAT"] * (len(kinds) - 2), b"IEND"]:
        raise ValueError("should have a header, pixels and an end, and nothing else")
    if chunks[0][1] != struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0):
        raise ValueError(f"should be grey, with 8 bits, of {width} × {height} pixels")
    _require_rows(b"".join(body for _, body in chunks[1:-1]), width + 1, height)


def _require_rows(packed: bytes, row: int, rows: int) -> None:
    unpacking = zlib.decompressobj()
    try:
        pixels = unpacking.decompress(packed, row * rows + 1)
    except zlib.error as error:
        raise ValueError("should not be damaged") from error
    if len(pixels) != row * rows or not unpacking.eof or unpacking.unused_data:
        raise ValueError("should have exactly the pixels that its header states")
    if max(pixels[::row]) >= _FILTERS:
        raise ValueError("should have rows with known filters")


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and body of each chunk. Raises ValueError unless they fill the content exactly."""
    if not content.startswith(_SIGNATURE):
        raise ValueError("should be a PNG")
    at = len(_SIGNATURE)
    while at < len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        end = at + length + _AROUND
        kind, body = content[at + 4 : at + 8], content[at + 8 : end - 4]
        checksum = content[end - 4 : end]
        if len(checksum) != 4 or zlib.crc32(kind + body) != int.from_bytes(checksum, "big"):
            raise ValueError("should not be damaged")
        yield kind, body
        at = end
