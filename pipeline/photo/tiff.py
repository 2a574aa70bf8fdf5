"""A TIFF's first directory, measured entry by entry."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from pipeline.errors import MediaTooLarge
from pipeline.photo.limits import MOST_STRIPS, MOST_TIFF_TAGS, require_size

_ORDERS: Final = {b"II": "<", b"MM": ">"}
_BIG: Final = 43  # the magic number of a BigTIFF, whose numbers have 64 bits
_SHORT: Final = 3
_TILE_WIDTH, _TILE_LENGTH = 322, 323
_LISTS: Final = {273, 279, 324, 325}  # where strips or tiles are, and how long


class _Entry(NamedTuple):
    tag: int
    length: int
    value: int


def require_few_pieces(content: bytes) -> None:
    """MediaTooLarge for a directory, a list of strips or a tile that no photo of ours needs."""
    tile = {_TILE_WIDTH: 1, _TILE_LENGTH: 1}
    for entry in _entries(content):
        if entry.tag in tile:
            tile[entry.tag] = entry.value
        if entry.tag in _LISTS and entry.length > MOST_STRIPS:
            raise MediaTooLarge(f"a TIFF of more than {MOST_STRIPS:,} strips or tiles")
    require_size(tile[_TILE_WIDTH], tile[_TILE_LENGTH])


def _entries(content: bytes) -> Iterator[_Entry]:
    """As many entries as the file has bytes for: what is cut short is the decoder's to refuse."""
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
    if count > MOST_TIFF_TAGS:
        raise MediaTooLarge(f"a TIFF of more than {MOST_TIFF_TAGS:,} tags")
    for place in range(at, min(at + count * size, len(content) - size + 1), size):
        tag, kind, length, value = struct.unpack_from(f"{order}HH{wide}{wide}", content, place)
        if kind == _SHORT:
            (value,) = struct.unpack_from(f"{order}H", content, place + 4 + struct.calcsize(wide))
        yield _Entry(tag, length, value)
