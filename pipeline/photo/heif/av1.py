"""AV1: read a picture's size and colours from its sequence header, section 5.5 of the standard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipeline.errors import CorruptMedia
from pipeline.photo.heif.bits import Bits
from pipeline.photo.heif.coding import Coding
from pipeline.photo.limits import counted

_SEQUENCE: Final = 1  # the type of unit that has a sequence header
_PIXELS: Final = {3, 4, 6}  # types of units with a frame, its header or its tiles
_HOLE: Final = bytes(64)  # zeros that no coder writes, of a file that did not arrive whole
_LEB128: Final = 8  # bytes at most
_TIERED: Final = 7  # levels above this one have a tier
_SELECTED: Final = 2
_HIGH, _PROFESSIONAL = 1, 2  # profiles


def read_coding(content: bytes) -> Coding:
    """Return what the sequence headers state; raise CorruptMedia unless they state one thing.

    Raises it for pixels with holes, too.
    """
    codings = set()
    for kind, unit in _units(content):
        if kind == _SEQUENCE:
            codings.add(_coding(unit))
        if kind in _PIXELS and _HOLE in unit:
            raise CorruptMedia("damaged AVIF: parts of its pixels are missing")
    if len(codings) != 1:
        raise CorruptMedia("damaged AVIF: its AV1 headers state no size, or more than one")
    return codings.pop()


def _units(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    for _ in counted("AV1 units"):
        if at >= len(content):
            return
        head = content[at]
        at += 2 if head & 4 else 1
        size = len(content) - at
        if head & 2:
            size, at = _leb128(content, at)
        if size < 0 or at + size > len(content):
            raise CorruptMedia("damaged AVIF: parts of its pixels are missing")
        yield head >> 3 & 15, content[at : at + size]
        at += size


def _leb128(content: bytes, at: int) -> tuple[int, int]:
    """Return a number of up to 56 bits, and the offset after it."""
    value = 0
    for place, byte in enumerate(content[at : at + _LEB128]):
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value, at + place + 1
    raise CorruptMedia("damaged AVIF: a length cannot be read")


def _coding(unit: bytes) -> Coding:
    bits = Bits(unit)
    profile, _still, reduced = bits.number(3), bits.flag(), bits.flag()
    if reduced:
        bits.number(5)
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.number(4) + 1, bits.number(4) + 1
    width, height = bits.number(width_bits) + 1, bits.number(height_bits) + 1
    _skip_tools(bits, reduced=reduced)
    depth = 10 if bits.flag() else 8
    if profile == _PROFESSIONAL and depth == 10 and bits.flag():
        depth = 12
    grey = profile != _HIGH and bits.flag()
    points = (bits.number(8), bits.number(8)) if bits.flag() else (None, None)
    return Coding(width, height, depth, grey, *points)


def _skip_operating_points(bits: Bits) -> None:
    delay_bits = 0
    if bits.flag():
        bits.number(64)
        if bits.flag():
            bits.exponential()
        if bits.flag():
            delay_bits = bits.number(5) + 1
            bits.number(32 + 5 + 5)
    delayed = bits.flag()
    for _ in range(bits.number(5) + 1):
        bits.number(12)
        if bits.number(5) > _TIERED:
            bits.flag()
        if delay_bits and bits.flag():
            bits.number(2 * delay_bits + 1)
        if delayed and bits.flag():
            bits.number(4)


def _skip_tools(bits: Bits, *, reduced: bool) -> None:
    if not reduced and bits.flag():
        bits.number(4 + 3)
    bits.number(3)
    if not reduced:
        bits.number(4)
        ordered = bits.flag()
        bits.number(2 * ordered)
        forced = _SELECTED if bits.flag() else bits.number(1)
        if forced and not bits.flag():
            bits.flag()
        bits.number(3 * ordered)
    bits.number(3)
