"""A PNG's chunks, without those that say nothing about its pixels."""

from __future__ import annotations

import struct
import zlib
from typing import Final, NamedTuple

from pipeline.errors import MediaTooLarge
from pipeline.photo.limits import MOST_EXIF_BYTES, MOST_PROFILE_BYTES, counted

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_USED: Final = {b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"pHYs", b"IDAT", b"IEND"}
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Adam7's seven passes: first column and row, then the steps between them.
_ADAM7: Final = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4),
    (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
)  # fmt: skip


class _Chunk(NamedTuple):
    kind: bytes
    body: slice
    whole: slice


def trim_png(content: bytes) -> bytes:
    """The file less its texts, times, later frames and whatever follows its end.

    What is known of the pixels comes before them, orientation included. MediaTooLarge for a colour
    profile that unpacks to more than a mebibyte.
    """
    before: list[bytes] = [_SIGNATURE]
    pixels: list[bytes] = []
    for chunk in _chunks(content):
        if chunk.kind == b"iCCP":
            _require_small_profile(content[chunk.body])
        endless = chunk.kind == b"eXIf" and len(content[chunk.body]) > MOST_EXIF_BYTES
        if chunk.kind in _USED and not endless:
            ending = chunk.kind in {b"IDAT", b"IEND"}
            (pixels if ending else before).append(content[chunk.whole])
    return b"".join(before + pixels)


def has_all_rows(content: bytes) -> bool:
    """Whether the pixels' stream unpacks to as many bytes as the header's size has."""
    chunks = list(_chunks(content))
    header = struct.unpack(">IIBBBBB", content[chunks[0].body])
    missing = _row_bytes(*header)
    unpacker = zlib.decompressobj()
    for chunk in chunks:
        if chunk.kind == b"IDAT":
            missing -= _unpacked_bytes(unpacker, content[chunk.body], missing)
    return missing <= 0


def _unpacked_bytes(unpacker: zlib._Decompress, packed: bytes, most: int) -> int:
    """How many bytes a chunk unpacks to, a mebibyte at a time; no more than about `most`."""
    count = 0
    while packed and count < most:
        count += len(unpacker.decompress(packed, 2**20))
        packed = unpacker.unconsumed_tail
    return count


def _row_bytes(width: int, height: int, depth: int, colour: int, *methods: int) -> int:
    """Bytes of all rows, each behind the byte that names its filter."""
    bits = depth * _CHANNELS[colour]
    passes = _ADAM7 if methods[-1] else ((0, 0, 1, 1),)
    total = 0
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * bits // 8))
    return total


def _chunks(content: bytes) -> list[_Chunk]:
    found, at = [], len(_SIGNATURE)
    for _ in counted("chunks"):
        if at + 8 > len(content):
            break
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        found.append(_Chunk(kind, slice(at + 8, at + 8 + length), slice(at, end)))
        if kind == b"IEND":
            break
        at = end
    return found


def _require_small_profile(body: bytes) -> None:
    packed = body.partition(b"\0")[2][1:]
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(packed, MOST_PROFILE_BYTES)
    except zlib.error:  # no profile at all; the decoder goes on without one
        return
    if unpacker.unconsumed_tail:
        raise MediaTooLarge("its colour profile unpacks to more than a mebibyte")
