"""PNG: keep only the chunks that the pixels need, limit the profile, detect missing rows."""

from __future__ import annotations

import struct
import zlib
from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageFile

from pipeline.errors import MediaTooLarge
from pipeline.photo.limits import MAX_EXIF_BYTES, MAX_PROFILE_BYTES, counted

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_USED: Final = {b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"pHYs", b"IDAT", b"IEND"}
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Adam7's seven passes: first column and row, then the steps between them.
_ADAM7: Final = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4),
    (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
)  # fmt: skip
_LAST_PIXELS: Final = 8


class _Chunk(NamedTuple):
    kind: bytes
    body: slice
    whole: slice


def prepare(content: bytes) -> bytes:
    """Remove texts, times, later frames and everything after the end of the picture.

    Chunks that describe the pixels are moved in front of them, EXIF included. Raises MediaTooLarge
    for a colour profile of more than `MAX_PROFILE_BYTES` or more than `MAX_PARTS` chunks.
    """
    before: list[bytes] = [_SIGNATURE]
    pixels: list[bytes] = []
    for chunk in _chunks(content):
        if chunk.kind == b"iCCP":
            _require_small_profile(content[chunk.body])
        oversized = chunk.kind == b"eXIf" and len(content[chunk.body]) > MAX_EXIF_BYTES
        if chunk.kind in _USED and not oversized:
            ending = chunk.kind in {b"IDAT", b"IEND"}
            (pixels if ending else before).append(content[chunk.whole])
    return b"".join(before + pixels)


def is_complete(image: ImageFile.ImageFile, content: bytes) -> bool:
    """Return False if the file has fewer rows than its header states.

    Decoders fill missing rows with zeros; those of an interlaced file may be anywhere. Where either
    is possible, the pixel data is unpacked again and counted.
    """
    possible = image.info.get("interlace") or _ends_in_zeros(image)
    return not possible or _has_all_rows(content)


def _ends_in_zeros(image: Image.Image) -> bool:
    right, bottom = image.size
    last = image.crop((max(0, right - _LAST_PIXELS), bottom - 1, right, bottom))
    return not np.asarray(last).any()


def _has_all_rows(content: bytes) -> bool:
    """Return True if the pixel data unpacks to as many bytes as the header's size needs."""
    chunks = list(_chunks(content))
    header = struct.unpack(">IIBBBBB", content[chunks[0].body])
    missing = _filtered_bytes(*header)
    unpacker = zlib.decompressobj()
    for chunk in chunks:
        if chunk.kind == b"IDAT":
            missing -= _unpacked_bytes(unpacker, content[chunk.body], missing)
    return missing <= 0


def _unpacked_bytes(unpacker: zlib._Decompress, packed: bytes, most: int) -> int:
    """Count the bytes that a chunk unpacks to, 1 MiB at a time; stop soon after `most`."""
    count = 0
    while packed and count < most:
        count += len(unpacker.decompress(packed, 2**20))
        packed = unpacker.unconsumed_tail
    return count


def _filtered_bytes(width: int, height: int, depth: int, colour: int, *methods: int) -> int:
    """Return the bytes of all rows, each with the leading byte that names its filter."""
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
    for _ in counted("PNG chunks"):
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
        unpacker.decompress(packed, MAX_PROFILE_BYTES)
    except zlib.error:  # not a profile; the decoder ignores it
        return
    if unpacker.unconsumed_tail:
        raise MediaTooLarge(f"PNG colour profile of more than {MAX_PROFILE_BYTES:,} bytes unpacked")
