"""Read and write ISO base media boxes: a size, a four-letter kind, and a body."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from pipeline.errors import CorruptMedia
from pipeline.photo.limits import counted

_HEAD: Final = 8
_WIDE_HEAD: Final = 16  # with a size of 64 bits
_WIDE, _TO_THE_END = 1, 0  # sizes with a meaning of their own


class Box(NamedTuple):
    """A box, without its head."""

    kind: bytes
    body: memoryview


def boxes(content: memoryview) -> Iterator[Box]:
    """Yield the boxes that lie one after another in `content`, without looking inside.

    Raises CorruptMedia for a box that is larger than its place, MediaTooLarge for more than
    `MAX_PARTS` boxes.
    """
    at = 0
    for _ in counted("HEIF boxes"):
        if len(content) - at < _HEAD:
            return
        size, kind = struct.unpack_from(">I4s", content, at)
        head = _HEAD
        if size == _WIDE and len(content) - at >= _WIDE_HEAD:
            (size,) = struct.unpack_from(">Q", content, at + _HEAD)
            head = _WIDE_HEAD
        elif size == _TO_THE_END:
            size = len(content) - at
        if not head <= size <= len(content) - at:
            name, left = kind.decode("ascii", "backslashreplace"), len(content) - at
            raise CorruptMedia(f"damaged HEIF: box '{name}' of {size:,} bytes, {left:,} left")
        yield Box(kind, content[at + head : at + size])
        at += size


class Fields:
    """The big-endian numbers of a box's body, one after another."""

    def __init__(self, body: memoryview) -> None:
        self._body = body
        self._at = 0

    def number(self, size: int) -> int:
        """Read an unsigned number of `size` bytes; 0 bytes are the number 0."""
        return int.from_bytes(self.take(size), "big")

    def take(self, size: int) -> memoryview:
        """Read `size` bytes; raise CorruptMedia if the body has fewer."""
        taken = self._body[self._at : self._at + size]
        if len(taken) < size:
            raise CorruptMedia("damaged HEIF: a box ends inside a field")
        self._at += size
        return taken

    def rest(self) -> memoryview:
        """Read all that is left."""
        return self._body[self._at :]


def box(kind: bytes, *parts: bytes) -> bytes:
    """Return a box."""
    body = b"".join(parts)
    return struct.pack(">I4s", _HEAD + len(body), kind) + body


def full_box(kind: bytes, *parts: bytes) -> bytes:
    """Return a box of version 0 without flags."""
    return box(kind, bytes(4), *parts)
