"""Write the smallest HEIF file of one coded picture: all that a decoder gets to see.

Whatever else a file has (other items, derived pictures, metadata, sequences) has been read by
`items`, and does not reach the decoder's own reader of boxes.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from pipeline.photo.heif.boxes import box, full_box
from pipeline.photo.heif.coding import Coding

# By the type of a coded picture: the property that sets up its decoder, and the brand of its file.
CONFIGURATIONS: Final = {b"hvc1": b"hvcC", b"av01": b"av1C"}
_BRANDS: Final = {b"hvc1": b"heic", b"av01": b"avif"}


class Still(NamedTuple):
    """One coded picture. `nclx` is the body of its colour property without an ICC profile."""

    codec: bytes
    configuration: bytes
    coding: Coding
    nclx: bytes | None
    data: bytes


def write_still(still: Still) -> bytes:
    """Return the file."""
    coding, brand = still.coding, _BRANDS[still.codec]
    channels = 1 if coding.grey else 3
    properties = [
        box(CONFIGURATIONS[still.codec], still.configuration),
        full_box(b"ispe", struct.pack(">II", coding.width, coding.height)),
        full_box(b"pixi", bytes([channels]) + bytes([coding.bits]) * channels),
        *([box(b"colr", still.nclx)] if still.nclx else []),
    ]
    associated = bytes([len(properties), 0x81, *range(2, len(properties) + 1)])
    kinds = box(b"ftyp", brand, bytes(4), b"mif1", brand, b"miaf")
    parts = (
        full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
        full_box(b"pitm", struct.pack(">H", 1)),
        full_box(b"iinf", struct.pack(">H", 1), _entry(still.codec)),
        box(
            b"iprp",
            box(b"ipco", *properties),
            full_box(b"ipma", struct.pack(">IH", 1, 1), associated),
        ),
    )
    before = len(kinds) + len(_described(parts, 0, 0)) + 8
    described = _described(parts, before, len(still.data))
    return b"".join([kinds, described, box(b"mdat", still.data)])


def _entry(codec: bytes) -> bytes:
    """Return the entry of item 1; version 2 of the box is the first that names a type."""
    return box(b"infe", b"\2\0\0\0", struct.pack(">HH4s", 1, 0, codec), b"\0")


def _described(parts: tuple[bytes, ...], offset: int, length: int) -> bytes:
    place = struct.pack(">HHHHHII", 0x4400, 1, 1, 0, 1, offset, length)
    return full_box(b"meta", *parts, full_box(b"iloc", place))
