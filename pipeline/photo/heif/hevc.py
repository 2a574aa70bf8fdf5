"""HEVC (ITU-T H.265): read a picture's size from its headers, and keep only what draws it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from pipeline.errors import CorruptMedia, UnsupportedMedia
from pipeline.photo.heif.bits import Bits
from pipeline.photo.heif.boxes import Fields
from pipeline.photo.heif.coding import Coding
from pipeline.photo.limits import counted

_HEAD: Final = 2  # bytes
_FIXED: Final = 21  # bytes of the configuration before the length of a NAL unit's length
_VPS, _SPS, _PPS = 32, 33, 34  # parameter sets, by type of NAL unit
_FIRST_INTRA, _LAST_INTRA = 16, 23  # slices of pictures that need no other picture
_LENGTHS: Final = {1, 2, 4}
_LEVELS: Final = 7  # sub-layers of a stream
_BROKEN: Final = re.compile(rb"\0\0[\0-\2]", re.DOTALL)  # never inside a NAL unit
_PADDING: Final = 64  # zero bytes that an encoder may leave at its end
_DEPTHS: Final = {8, 10, 12}
_DEEPEST: Final = 16
_LARGEST_BLOCK: Final = 64  # pixels; encoders pad a picture to whole blocks
_GREY, _PLANES_OF_EQUAL_SIZE = 0, 3  # values of chroma_format_idc
_SUBSAMPLED: Final = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}


class Configuration(NamedTuple):
    """The headers of a picture: how its decoder is set up.

    `record` is written anew: the parameter sets, and what they state; lengths have four bytes.
    """

    length_size: int
    record: bytes
    coding: Coding


def read_configuration(body: memoryview) -> Configuration:
    """Read an `hvcC` property; raise CorruptMedia if it has no size.

    The record around the parameter sets states things a second time. libheif believes the record
    and libde265 the parameter sets, so the record's own statements are not passed on.
    """
    fields = Fields(body)
    fields.take(_FIXED)
    length_size = (fields.number(1) & 3) + 1
    sets: dict[int, list[bytes]] = {_VPS: [], _SPS: [], _PPS: []}
    for _ in range(fields.number(1)):
        fields.number(1)
        for _ in range(fields.number(2)):
            unit = bytes(fields.take(fields.number(2)))
            kind, layer = _head(unit)
            if kind in sets and layer == 0:
                sets[kind].append(unit)
    codings = {_coding(unit) for unit in sets[_SPS]}
    if length_size not in _LENGTHS or len(codings) != 1:
        raise CorruptMedia("damaged HEIC: its HEVC headers state no size, or more than one")
    (stated,) = codings
    return Configuration(length_size, _record(stated, sets), stated.coding)


def picture_data(content: bytes, length_size: int) -> bytes:
    """Return the slices of the picture alone, each with its length in four bytes.

    Parameter sets among the slices could state another size. Raises CorruptMedia if there is no
    slice, or if one has bytes that no encoder writes, such as the zeros of a file with holes.
    """
    kept = []
    for unit in _units(content, length_size):
        kind, layer = _head(unit)
        if layer or not _FIRST_INTRA <= kind <= _LAST_INTRA:
            continue
        if _BROKEN.search(unit.rstrip(b"\0")) or unit.endswith(bytes(_PADDING)):
            raise CorruptMedia("damaged HEIC: parts of its pixels are missing")
        kept += [len(unit).to_bytes(4, "big"), unit]
    if not kept:
        raise CorruptMedia("damaged HEIC: it has no pixels")
    return b"".join(kept)


def _units(content: bytes, length_size: int) -> Iterator[bytes]:
    at = 0
    for _ in counted("HEVC units"):
        if at >= len(content):
            return
        start = at + length_size
        at = start + int.from_bytes(content[at:start], "big")
        unit = content[start:at]
        if at > len(content):
            raise CorruptMedia("damaged HEIC: parts of its pixels are missing")
        yield unit


def _head(unit: bytes) -> tuple[int, int]:
    """Return a unit's type and layer, 7.3.1.2."""
    if len(unit) < _HEAD:
        raise CorruptMedia("damaged HEIC: parts of its headers or pixels are missing")
    return unit[0] >> 1 & 63, (unit[0] & 1) << 5 | unit[1] >> 3


class _Stated(NamedTuple):
    coding: Coding
    chroma: int
    depths: tuple[int, int]


def _record(stated: _Stated, sets: dict[int, list[bytes]]) -> bytes:
    """Write a configuration, 8.3.3.1.2 of ISO/IEC 14496-15, with an unspecified profile."""
    luma, chroma = stated.depths
    fixed = b"\1" + bytes(12) + b"\xf0\0\xfc"
    levels = bytes([0xFC | stated.chroma, 0xF8 | luma - 8, 0xF8 | chroma - 8, 0, 0, 0x0F])
    arrays = [
        bytes([0x80 | kind])
        + len(units).to_bytes(2, "big")
        + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)
        for kind, units in sets.items()
        if units
    ]
    return b"".join([fixed, levels, bytes([len(arrays)]), *arrays])


def _coding(unit: bytes) -> _Stated:
    """Read a sequence parameter set, 7.3.2.2 of the standard, as far as its bit depths."""
    bits = Bits(unit[2:].replace(b"\0\0\3", b"\0\0"))
    bits.number(4)
    levels = bits.number(3)
    bits.number(1)
    _skip_levels(bits, levels)
    bits.exponential()
    chroma = bits.exponential()
    if chroma not in _SUBSAMPLED or (chroma == _PLANES_OF_EQUAL_SIZE and bits.flag()):
        raise UnsupportedMedia("unsupported HEVC coding: its colour planes are separate")
    width, height = bits.exponential(), bits.exponential()
    across, down = _SUBSAMPLED[chroma]
    if bits.flag():
        left, right, top, bottom = (bits.exponential() for _ in range(4))
        padding = across * (left + right), down * (top + bottom)
        if max(padding) > _LARGEST_BLOCK:
            raise CorruptMedia("damaged HEIC: most of its pixels are padding")
        width, height = width - padding[0], height - padding[1]
    depths = 8 + bits.exponential(), 8 + bits.exponential()
    depth = depths[0] if chroma == _GREY else max(depths)
    if depth > _DEEPEST or min(width, height) < 1:
        raise CorruptMedia("damaged HEIC: its HEVC headers cannot be read")
    if depth not in _DEPTHS or (chroma != _GREY and depths[0] != depths[1]):
        raise UnsupportedMedia(f"unsupported HEVC coding: samples of {depth} bits")
    coding = Coding(width, height, depth, grey=chroma == _GREY)
    return _Stated(coding, chroma, depths)


def _skip_levels(bits: Bits, levels: int) -> None:
    """Skip the profile, tier and level of a stream and of its sub-layers, 7.3.3."""
    bits.number(88 + 8)
    present = [(bits.flag(), bits.flag()) for _ in range(levels)]
    if levels:
        bits.number(2 * (_LEVELS + 1 - levels))
    for profile, level in present:
        bits.number(88 * profile + 8 * level)
