"""HEIF files put together box by box, around pictures that an encoder coded."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from PIL import Image

from pipeline.photo.heif.boxes import box, full_box
from pipeline.photo.heif.items import read_items
from tests.pipeline.photo.pictures import noise, saved

CODECS: Final = {"HEIC": b"hvc1", "AVIF": b"av01"}
BRANDS: Final = {"HEIC": b"heic", "AVIF": b"avif"}
ALPHA: Final = full_box(b"auxC", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0")
DEPTH: Final = full_box(b"auxC", b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth\0")
GAIN_MAP: Final = full_box(b"auxC", b"urn:com:apple:photo:2020:aux:hdrgainmap\0")
_WIDE: Final = 2**15


@dataclass(frozen=True)
class Item:
    """A picture or a part of one; `properties` are whole boxes."""

    kind: bytes
    data: bytes
    properties: tuple[bytes, ...] = ()
    references: tuple[tuple[bytes, tuple[int, ...]], ...] = ()
    protected: bool = False

    def with_properties(self, *added: bytes) -> Item:
        """Return the item with more properties, after those that it has."""
        return replace(self, properties=(*self.properties, *added))

    def without(self, kind: bytes) -> Item:
        """Return the item without its properties of a kind."""
        kept = tuple(row for row in self.properties if row[4:8] != kind)
        return replace(self, properties=kept)

    def referring(self, kind: bytes, *ends: int) -> Item:
        """Return the item with a reference to others."""
        return replace(self, references=(*self.references, (kind, ends)))


def coded(image: Image.Image, picture_format: str, **options: Any) -> Item:
    """Return a picture as an item: its bytes, and the properties that a decoder needs.

    The sides are multiples of 64 pixels, or an encoder crops the picture.
    """
    items = read_items(saved(image, picture_format, **options))
    assert items is not None
    assert items.primary is not None
    kept = {b"hvcC", b"av1C", b"ispe", b"pixi", b"colr"}
    rows = [row for row in items.properties(items.primary) if row.kind in kept]
    properties = tuple(box(row.kind, bytes(row.body)) for row in rows)
    return Item(items.kind(items.primary), items.data(items.primary), properties)


def grid(
    columns: int, rows: int, width: int, height: int, tiles: Sequence[int], *added: bytes
) -> Item:
    """Return a picture of tiles."""
    data = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height)
    return Item(b"grid", data, (size(width, height), *added), ((b"dimg", tuple(tiles)),))


def tiled(picture_format: str) -> bytes:
    """Return a turned photo of four tiles, with alpha."""
    tile = coded(noise(64, 64), picture_format)
    whole = grid(2, 2, 120, 100, (1, 2, 1, 2), turned(3)).referring(b"prem", 4)
    alpha = coded(noise(64, 64).convert("L"), picture_format).with_properties(ALPHA)
    return file([tile, tile, whole, alpha.referring(b"auxl", 3)], primary=3)


def size(width: int, height: int) -> bytes:
    """Return the property of a picture's size."""
    return full_box(b"ispe", struct.pack(">II", width, height))


def turned(quarters: int) -> bytes:
    """Return the property of so many quarter turns to the left."""
    return box(b"irot", bytes([quarters]))


def mirrored(*, sideways: bool) -> bytes:
    """Return the property of a mirrored picture."""
    return box(b"imir", bytes([sideways]))


def cropped(width: int, height: int, right: int, down: int, *, whole: tuple[int, int]) -> bytes:
    """Return the property that crops a picture of the size `whole`, from `right` and `down`."""
    offsets = (2 * right + width - whole[0], 2 * down + height - whole[1])
    return box(b"clap", struct.pack(">IIIIiIiI", width, 1, height, 1, offsets[0], 2, offsets[1], 2))


def code_points(primaries: int, transfer: int, matrix: int = 6) -> bytes:
    """Return the colour property without a profile."""
    return box(b"colr", b"nclx", struct.pack(">HHHB", primaries, transfer, matrix, 0x80))


def file(
    items: Sequence[Item],
    *,
    primary: int = 1,
    brand: bytes = b"heic",
    extra: bytes = b"",
    in_idat: bool = False,
) -> bytes:
    """Return a file of these items, numbered from 1; the bytes of grids are in the description."""
    head = box(b"ftyp", brand, bytes(4), b"mif1", brand)
    inside = [in_idat or item.kind == b"grid" for item in items]
    idat = b"".join(item.data for item, within in zip(items, inside, strict=True) if within)
    described, at = b"", 0
    for _ in range(2):  # the second time, the description's length is known
        places, starts = b"", [0, at]
        for number, (item, within) in enumerate(zip(items, inside, strict=True), 1):
            start = starts[not within]
            starts[not within] += len(item.data)
            places += struct.pack(">HHHHII", number, within, 0, 1, start, len(item.data))
        parts = [
            full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
            full_box(b"pitm", struct.pack(">H", primary)),
            box(b"iloc", b"\1\0\0\0", struct.pack(">HH", 0x4400, len(items)), places),
            full_box(b"iinf", struct.pack(">H", len(items)), *_entries(items)),
            _properties(items),
            full_box(b"iref", *_references(items)),
            box(b"idat", idat),
        ]
        described = full_box(b"meta", *parts)
        at = len(head) + len(described) + len(extra) + 8
    pixels = [item.data for item, within in zip(items, inside, strict=True) if not within]
    return head + described + extra + box(b"mdat", *pixels)


def _entries(items: Sequence[Item]) -> list[bytes]:
    return [
        box(b"infe", b"\2\0\0\0", struct.pack(">HH4s", number, item.protected, item.kind), b"\0")
        for number, item in enumerate(items, 1)
    ]


def _properties(items: Sequence[Item]) -> bytes:
    listed, rows = b"", b""
    place = 0
    for number, item in enumerate(items, 1):
        places = range(place + 1, place + 1 + len(item.properties))
        place += len(item.properties)
        listed += b"".join(item.properties)
        rows += struct.pack(">HB", number, len(places))
        rows += b"".join(struct.pack(">H", _WIDE + one) for one in places)
    associated = box(b"ipma", b"\0\0\0\1", struct.pack(">I", len(items)), rows)
    return box(b"iprp", box(b"ipco", listed), associated)


def _references(items: Sequence[Item]) -> list[bytes]:
    return [
        box(kind, struct.pack(f">HH{len(ends)}H", number, len(ends), *ends))
        for number, item in enumerate(items, 1)
        for kind, ends in item.references
    ]
