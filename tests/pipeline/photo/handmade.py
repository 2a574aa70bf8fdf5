"""Photo files put together byte by byte, as no library writes them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tests.pictures import Pixels
from tests.pipeline.photo.pictures import HEIGHT, WIDTH, drawn

PNG: Final = b"\x89PNG\r\n\x1a\n"
PASSES: Final = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
    (0, 1, 1, 2),
)  # fmt: skip
_TYPES: Final = {1: "B", 3: "H", 4: "I", 5: "II"}
_PARTS: Final = 10_000  # of a rational number
DATA: Final = -1  # in place of a TIFF tag's value: the offset of the data after the directory


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG."""
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


def header(
    width: int, height: int, *, depth: int = 8, colour: int = 2, interlace: int = 0
) -> bytes:
    """Return the first chunk of a PNG."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def rows(pixels: npt.NDArray[Any]) -> bytes:
    """Return the rows as a PNG stores them, unfiltered."""
    return b"".join(b"\0" + row.tobytes() for row in pixels)


def png(*, before: bytes = b"", idat: bytes | None = None, after: bytes = b"") -> bytes:
    """Return `drawn` as a PNG, with chunks before and after its pixels, or other pixel data."""
    stream = zlib.compress(rows(drawn())) if idat is None else idat
    pixels = chunk(b"IDAT", stream)
    return PNG + header(WIDTH, HEIGHT) + before + pixels + after + chunk(b"IEND", b"")


def sixteen_bit_png(pixels: Pixels) -> bytes:
    """Return 8-bit RGB pixels as a PNG of 16 bits per channel."""
    deep = (pixels.astype(np.uint16) * 257).astype(">u2")
    stream = zlib.compress(b"".join(b"\0" + row.tobytes() for row in deep))
    size = header(WIDTH, HEIGHT, depth=16)
    return PNG + size + chunk(b"IDAT", stream) + chunk(b"IEND", b"")


def interlaced_png(pixels: Pixels, *, passes: int = 7) -> bytes:
    """Return an Adam7 PNG; with fewer than seven passes, rows are missing."""
    parts = [
        rows(np.ascontiguousarray(pixels[top::down, left::across]))
        for left, top, across, down in PASSES[:passes]
    ]
    size = header(pixels.shape[1], pixels.shape[0], interlace=1)
    return PNG + size + chunk(b"IDAT", zlib.compress(b"".join(parts))) + chunk(b"IEND", b"")


def tiff(entries: dict[int, tuple[int, Sequence[int]]], data: bytes, *, order: str = "<") -> bytes:
    """Return a TIFF of one directory, {tag: (type, values)}, and `data`, whose offset is `DATA`.

    Rational numbers are in ten-thousandths.
    """
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    lists_at = 8 + 2 + 12 * len(entries) + 4
    packed = {
        tag: b"".join(
            struct.pack(order + _TYPES[kind], max(value, 0), *([_PARTS] if kind == 5 else []))
            for value in values
        )
        for tag, (kind, values) in entries.items()
    }
    lists = b"".join(one for _, one in sorted(packed.items()) if len(one) > 4)
    directory, at = struct.pack(f"{order}H", len(entries)), lists_at
    for tag, (kind, values) in sorted(entries.items()):
        value = packed[tag].ljust(4, b"\0")
        if tuple(values) == (DATA,):
            value = struct.pack(f"{order}I", lists_at + len(lists))
        elif len(packed[tag]) > 4:
            value, at = struct.pack(f"{order}I", at), at + len(packed[tag])
        directory += struct.pack(f"{order}HHI", tag, kind, len(values)) + value
    return start + directory + struct.pack(f"{order}I", 0) + lists + data


def tiff_entries(
    length: int, **changes: tuple[int, Sequence[int]]
) -> dict[int, tuple[int, Sequence[int]]]:
    """Return the tags of an RGB TIFF of `drawn` in one strip of `length` bytes, with changes."""
    plain: dict[int, tuple[int, Sequence[int]]] = {
        256: (4, [WIDTH]), 257: (4, [HEIGHT]), 258: (3, [8, 8, 8]), 259: (3, [1]), 262: (3, [2]),
        273: (4, [DATA]), 277: (3, [3]), 278: (4, [HEIGHT]), 279: (4, [length]),
    }  # fmt: skip
    return plain | {int(tag.removeprefix("t")): entry for tag, entry in changes.items()}


def webp_canvas(width: int, height: int, still: bytes) -> bytes:
    """Return an animated WebP: `still` as one frame on a canvas of its own size."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    frame_size = (WIDTH - 1).to_bytes(3, "little") + (HEIGHT - 1).to_bytes(3, "little")
    frame = bytes(6) + frame_size + b"\x64\0\0\0" + still[12:]
    body = riff(b"VP8X", b"\2\0\0\0" + size) + riff(b"ANIM", bytes(6)) + riff(b"ANMF", frame)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def riff(kind: bytes, body: bytes) -> bytes:
    """Return a chunk of a WebP."""
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
