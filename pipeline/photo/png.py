"""PNG: keep only the chunks that the pixels need, limit the profile, detect missing rows.

What the numbers mean is read here too: Pillow skips most chunks on colour, and compares a
transparent colour with 8 bits of 16.
"""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageFile

from pipeline.errors import CorruptMedia, MediaTooLarge, UnsupportedMedia
from pipeline.photo.colour.meaning import Meaning, Statement
from pipeline.photo.colour.spaces import SRGB, Chromaticities, from_code_points, from_numbers
from pipeline.photo.limits import MAX_EXIF_BYTES, MAX_PROFILE_BYTES, counted

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_USED: Final = {b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"pHYs", b"IDAT", b"IEND"}
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Adam7's seven passes: first column and row, then the steps between them.
_ADAM7: Final = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4),
    (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
)  # fmt: skip
_LAST_PIXELS: Final = 8
# Chunks on colour, and their bytes; they stand in front of the palette and the pixels.
_ON_COLOUR: Final = {b"cICP": 4, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32}
_PIXELS_BEGIN: Final = {b"PLTE", b"IDAT"}
_INTENTS: Final = 4
_UNIT: Final = 100_000  # a gamma or a chromaticity of 1
_DEEP_RGB: Final = "RGB;16B"  # what Pillow calls RGB of 16 bits a channel; it keeps the upper 8
_LOW_BYTES: Final = "RGB;16L"  # the other byte order: it keeps the lower 8
_SECOND_FILE: Final = "bytes of the file that is decoded again"
_LOW_COPY: Final = 4  # bytes per pixel of the picture of lower bytes


class _Chunk(NamedTuple):
    kind: bytes
    body: slice
    whole: slice


def prepare(content: bytes) -> bytes:
    """Remove texts, times, later frames and everything after the end of the picture.

    Chunks that describe the pixels are moved in front of them, EXIF included. Raises MediaTooLarge
    for a colour profile of more than `MAX_PROFILE_BYTES` or more than `MAX_PARTS` chunks, and
    CorruptMedia for pixels with a wrong checksum: the decoder checks it only if it needs them all.
    """
    before: list[bytes] = [_SIGNATURE]
    pixels: list[bytes] = []
    for chunk in _chunks(content):
        if chunk.kind == b"iCCP":
            _require_small_profile(content[chunk.body])
        if chunk.kind == b"IDAT" and chunk.whole.stop <= len(content):
            _require_checksum(content, chunk)
        oversized = chunk.kind == b"eXIf" and len(content[chunk.body]) > MAX_EXIF_BYTES
        if chunk.kind in _USED and not oversized:
            ending = chunk.kind in {b"IDAT", b"IEND"}
            (pixels if ending else before).append(content[chunk.whole])
    return b"".join(before + pixels)


def read_meaning(image: Image.Image, content: bytes) -> Meaning:
    """Return what the file states about colour, in the PNG standard's order, and its key colour.

    Raises UnsupportedMedia for high dynamic range and for video's narrow range of levels.
    """
    colours = tuple(_stated_colours(image, content))
    key = image.info.get("transparency")
    depth = content[24]
    if isinstance(key, tuple) and image.tile[0].args == _DEEP_RGB:  # type: ignore[attr-defined]
        del image.info["transparency"]
        image.info[_SECOND_FILE] = len(content)
        return Meaning(colours, key=key, low_bytes=functools.partial(_low_bytes, content))
    if isinstance(key, int) and image.mode == "L" and depth < 8:
        image.info["transparency"] = key * 255 // (2**depth - 1)  # as the levels are scaled
    return Meaning(colours)


def extra_bytes(image: ImageFile.ImageFile, _coded_pixels: int) -> int:
    """Return the memory for the lower bytes of 16 bits, which are compared with a key colour."""
    second_file = image.info.get(_SECOND_FILE)
    return image.width * image.height * _LOW_COPY + second_file if second_file else 0


def is_complete(image: ImageFile.ImageFile, content: bytes) -> bool:
    """Return False if the file has fewer rows than its header states.

    Decoders fill missing rows with zeros; those of an interlaced file may be anywhere. Where either
    is possible, the pixel data is unpacked again and counted.
    """
    possible = image.info.get("interlace") or _ends_in_zeros(image)
    return not possible or _has_all_rows(content)


def _stated_colours(image: Image.Image, content: bytes) -> Iterator[Statement]:
    """Yield each statement on colour, the strongest first; damaged ones are skipped."""
    chunks = dict(_colour_chunks(content))
    if b"cICP" in chunks:
        yield from _code_points(*chunks[b"cICP"])
    profile = image.info.get("icc_profile")
    if profile:
        yield profile
    if chunks.get(b"sRGB", b"\xff")[0] < _INTENTS:
        yield SRGB
    if b"gAMA" in chunks or b"cHRM" in chunks:
        gamma = int.from_bytes(chunks.get(b"gAMA", b""))
        numbers = [
            number / _UNIT for number in struct.unpack(">8I", chunks.get(b"cHRM", bytes(32)))
        ]
        primaries = Chromaticities(*zip(numbers[::2], numbers[1::2], strict=True))
        curves = [(_UNIT / gamma,)] if gamma else []
        for stated in (from_numbers(primaries, curves), from_numbers(None, curves)):
            if stated:
                yield stated


def _colour_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the body of intact chunks on colour, the first of each name last."""
    found = []
    for chunk in _chunks(content):
        if chunk.kind in _PIXELS_BEGIN:
            break
        body = content[chunk.body]
        checksum = content[chunk.body.stop : chunk.whole.stop]
        if len(body) == _ON_COLOUR.get(chunk.kind) and (
            zlib.crc32(chunk.kind + body) == int.from_bytes(checksum)
        ):
            found.append((chunk.kind, body))
    yield from reversed(found)


def _code_points(
    primaries: int, transfer: int, matrix: int, full_range: int
) -> Iterator[Statement]:
    stated = from_code_points(primaries, transfer)
    if matrix or full_range > 1:  # not those of RGB
        return
    if not full_range:
        raise UnsupportedMedia("a PNG of video levels (16 to 235): export it in full range")
    if stated:
        yield stated


def _low_bytes(content: bytes) -> Image.Image:
    """Decode the lower bytes of 16-bit RGB, by a name that swaps both bytes."""
    image = Image.open(io.BytesIO(prepare(content)), formats=["PNG"])
    image.tile = [image.tile[0]._replace(args=_LOW_BYTES)]
    image.load()
    return image


def _ends_in_zeros(image: Image.Image) -> bool:
    right, bottom = image.size
    last = image.crop((max(0, right - _LAST_PIXELS), bottom - 1, right, bottom))
    return not np.asarray(last).any()


def _has_all_rows(content: bytes) -> bool:
    """Return True if the pixel data unpacks to as many bytes as the header's size needs."""
    chunks = list(_chunks(content))
    header = struct.unpack(">IIBBBBB", content[chunks[0].body])
    missing = _filtered_bytes(*header)
    unpacker = zlib.decompressobj()
    for chunk in chunks:
        if chunk.kind == b"IDAT":
            missing -= _unpacked_bytes(unpacker, content[chunk.body], missing)
    return missing <= 0


def _unpacked_bytes(unpacker: zlib._Decompress, packed: bytes, most: int) -> int:
    """Count the bytes that a chunk unpacks to, 1 MiB at a time; stop soon after `most`."""
    count = 0
    while packed and count < most:
        count += len(unpacker.decompress(packed, 2**20))
        packed = unpacker.unconsumed_tail
    return count


def _filtered_bytes(width: int, height: int, depth: int, colour: int, *methods: int) -> int:
    """Return the bytes of all rows, each with the leading byte that names its filter."""
    bits = depth * _CHANNELS[colour]
    passes = _ADAM7 if methods[-1] else ((0, 0, 1, 1),)
    total = 0
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * bits // 8))
    return total


def _chunks(content: bytes) -> list[_Chunk]:
    found, at = [], len(_SIGNATURE)
    for _ in counted("PNG chunks"):
        if at + 8 > len(content):
            break
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        found.append(_Chunk(kind, slice(at + 8, at + 8 + length), slice(at, end)))
        if kind == b"IEND":
            break
        at = end
    return found


def _require_checksum(content: bytes, chunk: _Chunk) -> None:
    with memoryview(content) as view:
        found = zlib.crc32(view[chunk.body], zlib.crc32(chunk.kind))
    if found != int.from_bytes(content[chunk.body.stop : chunk.whole.stop]):
        raise CorruptMedia("damaged PNG: the checksum of its pixels is wrong")


def _require_small_profile(body: bytes) -> None:
    packed = body.partition(b"\0")[2][1:]
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(packed, MAX_PROFILE_BYTES)
    except zlib.error:  # not a profile; the decoder ignores it
        return
    if unpacker.unconsumed_tail:
        raise MediaTooLarge(f"PNG colour profile of more than {MAX_PROFILE_BYTES:,} bytes unpacked")
