"""Read the directories of a TIFF: those in the chain of pages, and those below them."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from PIL.ExifTags import Base as Tag

from pipeline.errors import MediaTooLarge
from pipeline.photo.limits import MAX_TIFF_TAGS

_ORDERS: Final = {b"II": "<", b"MM": ">"}
_BIG: Final = 43  # the magic number of a BigTIFF, whose numbers have 64 bits
_NUMBERS: Final = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}  # by type: unsigned integers
_PAGE_OF_A_MASK: Final = 4
_MOST_DIRECTORIES: Final = 64  # in search of the photo; a camera writes fewer than ten
_MOST_VALUES: Final = 16  # of a tag that is read here: samples per pixel, pictures below


class Layout(NamedTuple):
    """How a file writes its numbers: byte order, struct's letters for an offset and a tally."""

    order: str
    offset: str
    tally: str
    entry_bytes: int
    first: int  # where the header has the first directory's offset

    @classmethod
    def of(cls, content: bytes) -> Layout:
        """Return the layout that the header states."""
        order = _ORDERS[content[:2]]
        big = content[2:4] == struct.pack(f"{order}H", _BIG)
        return cls(order, "Q", "Q", 20, 8) if big else cls(order, "I", "H", 12, 4)

    def number(self, letter: str, content: bytes, at: int) -> int | None:
        """Return the number at an offset; None if the file ends before."""
        if at + struct.calcsize(self.order + letter) > len(content):
            return None
        (number,) = struct.unpack_from(self.order + letter, content, at)
        return int(number)


class Entry(NamedTuple):
    """A tag's type and number of values, and the bytes of its entry."""

    kind: int
    length: int
    raw: bytes


class Directory(NamedTuple):
    """The entries of the directory at an offset, by tag, and the offset of the next page's."""

    at: int
    entries: Mapping[int, Entry]
    next: int
    content: bytes
    layout: Layout

    def values(self, tag: int) -> tuple[int, ...]:
        """Return the first few of a tag's integers; nothing if it has none."""
        entry = self.entries.get(tag)
        letter = _NUMBERS.get(entry.kind) if entry else None
        if entry is None or letter is None:
            return ()
        data, at = entry.raw, 4 + struct.calcsize(self.layout.offset)
        each = struct.calcsize(letter)
        if entry.length * each > struct.calcsize(self.layout.offset):
            data, at = self.content, self.offset_of(entry)
        count = max(0, min(entry.length, _MOST_VALUES, (len(data) - at) // each))
        return struct.unpack_from(f"{self.layout.order}{count}{letter}", data, min(at, len(data)))

    def value(self, tag: int, default: int) -> int:
        """Return a tag's first integer."""
        return next(iter(self.values(tag)), default)

    def offset_of(self, entry: Entry) -> int:
        """Return the offset at which an entry's values are stored."""
        at = 4 + struct.calcsize(self.layout.offset)
        (offset,) = struct.unpack_from(self.layout.order + self.layout.offset, entry.raw, at)
        return int(offset)

    @property
    def pixels(self) -> int:
        return self.value(Tag.ImageWidth, 0) * self.value(Tag.ImageLength, 0)

    @property
    def is_secondary(self) -> bool:
        """True for a smaller copy of another picture, or a mask."""
        kinds = self.value(Tag.NewSubfileType, 0)
        return bool(kinds & (1 | _PAGE_OF_A_MASK)) or self.value(Tag.SubfileType, 1) == 2

    def below(self) -> tuple[int, ...]:
        """Return the offsets of the directories below this one."""
        return self.values(Tag.SubIFDs)


def read_directories(content: bytes) -> Iterator[Directory]:
    """Yield the first page's directory, then those below it, then the other pages' likewise.

    Each is read once, however they refer to one another, and no more than 64. Raises MediaTooLarge
    for more than `MAX_TIFF_TAGS` tags.
    """
    layout = Layout.of(content)
    start = layout.number(layout.offset, content, layout.first)
    waiting, seen = [start or 0], set[int]()
    while waiting and len(seen) < _MOST_DIRECTORIES:
        at = waiting.pop(0)
        directory = None if at in seen else _read(content, at, layout)
        seen.add(at)
        if directory is not None:
            yield directory
            waiting = [*directory.below(), *waiting, *([directory.next] if directory.next else [])]


def with_first(directory: Directory) -> bytes:
    """Return the file with a copy of a directory at its end, which its header calls the first."""
    content, layout = directory.content, directory.layout
    table = b"".join(entry.raw for _, entry in sorted(directory.entries.items()))
    count = struct.pack(layout.order + layout.tally, len(directory.entries))
    end = struct.pack(layout.order + layout.offset, 0)
    at = len(content) + len(content) % 2
    start = struct.pack(layout.order + layout.offset, at)
    head, rest = content[: layout.first], content[layout.first + len(start) :]
    return b"".join([head, start, rest, bytes(at - len(content)), count, table, end])


def _read(content: bytes, at: int, layout: Layout) -> Directory | None:
    """Read the entries that the file has bytes for; the decoder rejects a truncated directory."""
    count = layout.number(layout.tally, content, at)
    if count is None or at < layout.first:
        return None
    if count > MAX_TIFF_TAGS:
        raise MediaTooLarge(f"{count:,} TIFF tags; the limit is {MAX_TIFF_TAGS:,}")
    begin = at + struct.calcsize(layout.tally)
    end = begin + count * layout.entry_bytes
    entries: dict[int, Entry] = {}
    for place in range(begin, min(end, len(content) - layout.entry_bytes + 1), layout.entry_bytes):
        raw = content[place : place + layout.entry_bytes]
        tag, kind, length = struct.unpack_from(f"{layout.order}HH{layout.offset}", raw)
        entries.setdefault(tag, Entry(kind, length, raw))
    following = layout.number(layout.offset, content, end)
    return Directory(at, entries, following or 0, content, layout)
