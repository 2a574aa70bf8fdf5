"""Read the items of a HEIF file: pictures and their parts, what describes them, where bytes lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from pipeline.errors import CorruptMedia, UnsupportedMedia
from pipeline.photo.heif.boxes import Box, Fields, boxes
from pipeline.photo.limits import counted

_FILE, _IDAT = 0, 1  # places that an extent may count from
_FIELD_SIZES: Final = {0, 4, 8}
_TYPED: Final = 2  # the first version of an item's entry that names its type
_EMPTY: Final = memoryview(b"")


class Property(NamedTuple):
    """A description of an item. Without knowing an essential one, a reader cannot show the item."""

    kind: bytes
    body: memoryview
    essential: bool


class _Kind(NamedTuple):
    name: bytes
    encrypted: bool


class _Extent(NamedTuple):
    offset: int
    length: int  # 0: to the end


class _Place(NamedTuple):
    source: int
    external: bool
    extents: tuple[_Extent, ...]


class _Reference(NamedTuple):
    kind: bytes
    start: int
    ends: tuple[int, ...]


class _Association(NamedTuple):
    item: int
    place: int  # of a property, from 1
    essential: bool


class Items(NamedTuple):
    """All items of a file, by number. Numbers may lead nowhere: the methods check each one."""

    content: memoryview
    idat: memoryview
    primary: int | None
    kinds: dict[int, _Kind]
    places: dict[int, _Place]
    all_properties: list[Box]
    associations: dict[int, list[_Association]]
    references: list[_Reference]

    def kind(self, item: int) -> bytes:
        """Return an item's type, such as `hvc1`; raise UnsupportedMedia if it is encrypted."""
        if item not in self.kinds:
            raise CorruptMedia(f"damaged HEIF: there is no item {item}")
        if self.kinds[item].encrypted:
            raise UnsupportedMedia("an encrypted HEIF photo")
        return self.kinds[item].name

    def properties(self, item: int) -> list[Property]:
        """Return the properties of an item, in the order in which they apply."""
        found = []
        for _, place, essential in self.associations.get(item, []):
            if not 0 < place <= len(self.all_properties):
                raise CorruptMedia(f"damaged HEIF: there is no property {place}")
            found.append(Property(*self.all_properties[place - 1], essential))
        return found

    def referred(self, kind: bytes, item: int) -> list[int]:
        """Return the items that `item` refers to."""
        rows = [row for row in self.references if row.kind == kind and row.start == item]
        return [end for row in rows for end in row.ends]

    def referring(self, kind: bytes, item: int) -> list[int]:
        """Return the items that refer to `item`."""
        return [row.start for row in self.references if row.kind == kind and item in row.ends]

    def size(self, item: int) -> int:
        """Return how many bytes an item has; raise CorruptMedia if the file ends before them."""
        return sum(len(part) for part in self._parts(item))

    def data(self, item: int) -> bytes:
        """Return an item's bytes."""
        return b"".join(self._parts(item))

    def _parts(self, item: int) -> list[memoryview]:
        place = self.places.get(item)
        if place is None:
            raise CorruptMedia(f"damaged HEIF: item {item} has no bytes")
        if place.external or place.source not in {_FILE, _IDAT}:
            raise UnsupportedMedia("a HEIF photo whose pixels are in another file or item")
        source = self.content if place.source == _FILE else self.idat
        parts, left = [], len(source)
        for offset, length in place.extents:
            part = source[offset : offset + (length or len(source))]
            left -= len(part)
            if len(part) < length or not part:
                raise CorruptMedia("damaged HEIF: the file ends before its pixels do")
            if left < 0:
                raise CorruptMedia("damaged HEIF: an item has more bytes than the file")
            parts.append(part)
        return parts


def read_items(content: bytes) -> Items | None:
    """Read the description of every item; return None if the file has none, as a video.

    Raises CorruptMedia for a description that breaks off, MediaTooLarge for more than `MAX_PARTS`
    items, extents, properties or references.
    """
    whole = memoryview(content)
    meta = next((box.body for box in boxes(whole) if box.kind == b"meta"), None)
    if meta is None:
        return None
    parts: dict[bytes, memoryview] = {}
    for kind, body in boxes(_fields(meta)[2].rest()):
        parts.setdefault(kind, body)
    described = list(boxes(parts.get(b"iprp", _EMPTY)))
    containers = [body for kind, body in described if kind == b"ipco"]
    associations: dict[int, list[_Association]] = {}
    for kind, body in described:
        for row in _associations(body) if kind == b"ipma" else ():
            associations.setdefault(row.item, []).append(row)
    return Items(
        content=whole,
        idat=parts.get(b"idat", _EMPTY),
        primary=_primary(parts.get(b"pitm")),
        kinds=dict(_kinds(parts.get(b"iinf"))),
        places=dict(_places(parts.get(b"iloc"))),
        all_properties=[box for body in containers for box in boxes(body)],
        associations=associations,
        references=list(_references(parts.get(b"iref"))),
    )


def _fields(body: memoryview) -> tuple[int, int, Fields]:
    """Return a box's version, its flags, and the fields after them."""
    fields = Fields(body)
    return fields.number(1), fields.number(3), fields


def _primary(body: memoryview | None) -> int | None:
    if body is None:
        return None
    version, _, fields = _fields(body)
    return fields.number(4 if version else 2)


def _kinds(body: memoryview | None) -> Iterator[tuple[int, _Kind]]:
    if body is None:
        return
    version, _, fields = _fields(body)
    fields.number(4 if version else 2)
    entries = (entry for kind, entry in boxes(fields.rest()) if kind == b"infe")
    for entry in entries:
        version, _, fields = _fields(entry)
        if version >= _TYPED:
            item = fields.number(2 if version == _TYPED else 4)
            protection = fields.number(2)
            yield item, _Kind(bytes(fields.take(4)), encrypted=protection != 0)


def _places(body: memoryview | None) -> Iterator[tuple[int, _Place]]:
    if body is None:
        return
    version, _, fields = _fields(body)
    sizes = fields.number(2)
    offset_size, length_size, base_size, index_size = (sizes >> bits & 15 for bits in (12, 8, 4, 0))
    index_size = index_size if version else 0
    if not {offset_size, length_size, base_size, index_size} <= _FIELD_SIZES:
        raise CorruptMedia("damaged HEIF: the places of its items cannot be read")
    wide = 4 if version == 2 else 2
    limit = counted("HEIF extents")
    for _ in range(fields.number(wide)):
        next(limit)
        item = fields.number(wide)
        source = fields.number(2) & 15 if version else _FILE
        external = fields.number(2) != 0
        base = fields.number(base_size)
        extents = []
        for _ in range(fields.number(2)):
            next(limit)
            fields.number(index_size)
            extents.append(_Extent(base + fields.number(offset_size), fields.number(length_size)))
        yield item, _Place(source, external, tuple(extents))


def _associations(body: memoryview) -> Iterator[_Association]:
    version, flags, fields = _fields(body)
    wide = 2 if flags & 1 else 1
    essential_bit = 1 << 8 * wide - 1
    limit = counted("HEIF properties")
    for _ in range(fields.number(4)):
        next(limit)
        item = fields.number(4 if version else 2)
        for _ in range(fields.number(1)):
            next(limit)
            value = fields.number(wide)
            place = value & (essential_bit - 1)
            if place:  # 0 stands for no property
                yield _Association(item, place, essential=value >= essential_bit)


def _references(body: memoryview | None) -> Iterator[_Reference]:
    if body is None:
        return
    version, _, fields = _fields(body)
    wide = 4 if version else 2
    limit = counted("HEIF references")
    for kind, entry in boxes(fields.rest()):
        fields = Fields(entry)
        start = fields.number(wide)
        ends = []
        for _ in range(fields.number(2)):
            next(limit)
            ends.append(fields.number(wide))
        yield _Reference(kind, start, tuple(ends))
