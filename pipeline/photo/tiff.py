"""TIFF: limit the tags, strips and tiles that the first directory states."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from PIL import ImageFile

from pipeline.errors import MediaTooLarge
from pipeline.photo.limits import MAX_STRIPS, MAX_TIFF_TAGS, require_size

_ORDERS: Final = {b"II": "<", b"MM": ">"}
_BIG: Final = 43  # the magic number of a BigTIFF, whose numbers have 64 bits
_SHORT: Final = 3
_TILE_WIDTH, _TILE_LENGTH = 322, 323
_LISTS: Final = {273, 279, 324, 325}  # offsets and lengths of strips or tiles
_TURNED: Final = 4  # bytes per pixel of the copy that Pillow makes to apply the orientation
_TILE_PIXEL: Final = 8  # bytes


class _Entry(NamedTuple):
    tag: int
    length: int
    value: int


def prepare(content: bytes) -> bytes:
    """Return the file unchanged, after measuring the parts of its first directory.

    Raises MediaTooLarge for more than `MAX_TIFF_TAGS` tags, more than `MAX_STRIPS` strips or tiles,
    or a tile larger than a photo may be.
    """
    tile = {_TILE_WIDTH: 1, _TILE_LENGTH: 1}
    for entry in _entries(content):
        if entry.tag in tile:
            tile[entry.tag] = entry.value
        if entry.tag in _LISTS and entry.length > MAX_STRIPS:
            raise MediaTooLarge(
                f"{entry.length:,} TIFF strips or tiles; the limit is {MAX_STRIPS:,}"
            )
    require_size(tile[_TILE_WIDTH], tile[_TILE_LENGTH], part="TIFF tile")
    return content


def extra_bytes(image: ImageFile.ImageFile, _coded_pixels: int) -> int:
    """Return the memory for Pillow's turned copy, and for one tile."""
    tags = image.tag_v2  # type: ignore[attr-defined]
    tile_pixels = int(tags.get(_TILE_WIDTH, 0)) * int(tags.get(_TILE_LENGTH, 0))
    return image.width * image.height * _TURNED + tile_pixels * _TILE_PIXEL


def _entries(content: bytes) -> Iterator[_Entry]:
    """Yield the entries that the file has bytes for; the decoder rejects a truncated directory."""
    order = _ORDERS[content[:2]]
    big = content[2:4] == struct.pack(f"{order}H", _BIG)
    wide, tally, size, start_at = ("Q", "Q", 20, 8) if big else ("I", "H", 12, 4)
    if len(content) < start_at + struct.calcsize(wide):
        return
    (start,) = struct.unpack_from(order + wide, content, start_at)
    at = start + struct.calcsize(tally)
    if at > len(content):
        return
    (count,) = struct.unpack_from(order + tally, content, start)
    if count > MAX_TIFF_TAGS:
        raise MediaTooLarge(f"{count:,} TIFF tags; the limit is {MAX_TIFF_TAGS:,}")
    for place in range(at, min(at + count * size, len(content) - size + 1), size):
        tag, kind, length, value = struct.unpack_from(f"{order}HH{wide}{wide}", content, place)
        if kind == _SHORT:
            (value,) = struct.unpack_from(f"{order}H", content, place + 4 + struct.calcsize(wide))
        yield _Entry(tag, length, value)
