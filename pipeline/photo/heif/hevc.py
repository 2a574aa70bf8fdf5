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

    `record` is the configuration with the three parameter sets only, and lengths of four bytes.
    """

    length_size: int
    record: bytes
    coding: Coding


def read_configuration(body: memoryview) -> Configuration:
    """Read an `hvcC` property; raise CorruptMedia if it has no size."""
    fields = Fields(body)
    fixed = bytes(fields.take(_FIXED))
    lengths = fields.number(1)
    length_size = (lengths & 3) + 1
    kept = []
    codings = []
    for _ in range(fields.number(1)):
        head = fields.number(1)
        units = [bytes(fields.take(fields.number(2))) for _ in range(fields.number(2))]
        if head & 63 in {_VPS, _SPS, _PPS}:
            kept.append(_array(head, units))
        if head & 63 == _SPS:
            codings += [_coding(unit) for unit in units]
    if length_size not in _LENGTHS or len(set(codings)) != 1:
        raise CorruptMedia("damaged HEIC: its HEVC headers state no size, or more than one")
    record = fixed + bytes([lengths | 3, len(kept)]) + b"".join(kept)
    return Configuration(length_size, record, codings[0])


def picture_data(content: bytes, length_size: int) -> bytes:
    """Return the slices of the picture alone, each with its length in four bytes.

    Parameter sets among the slices could state another size. Raises CorruptMedia if there is no
    slice, or if one has bytes that no encoder writes, such as the zeros of a file with holes.
    """
    kept = []
    for unit in _units(content, length_size):
        kind, layer = unit[0] >> 1 & 63, (unit[0] & 1) << 5 | unit[1] >> 3
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
        if at > len(content) or len(unit) < 2:
            raise CorruptMedia("damaged HEIC: parts of its pixels are missing")
        yield unit


def _array(head: int, units: list[bytes]) -> bytes:
    listed = b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)
    return bytes([head]) + len(units).to_bytes(2, "big") + listed


def _coding(unit: bytes) -> Coding:
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
    depths = {8 + bits.exponential(), 8 + bits.exponential()}
    depth = max(depths)
    if depth > _DEEPEST or min(width, height) < 1:
        raise CorruptMedia("damaged HEIC: its HEVC headers cannot be read")
    if depth not in _DEPTHS or (chroma != _GREY and len(depths) > 1):
        raise UnsupportedMedia(f"unsupported HEVC coding: samples of {depth} bits")
    return Coding(width, height, depth, grey=chroma == _GREY)


def _skip_levels(bits: Bits, levels: int) -> None:
    """Skip the profile, tier and level of a stream and of its sub-layers, 7.3.3."""
    bits.number(88 + 8)
    present = [(bits.flag(), bits.flag()) for _ in range(levels)]
    if levels:
        bits.number(2 * (_LEVELS + 1 - levels))
    for profile, level in present:
        bits.number(88 * profile + 8 * level)
