"""Just enough of PNG, without a library: writes what is drawn, reads what comes back."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_CHANNELS: Final = {0: 1, 2: 3, 4: 2, 6: 4}  # colour type → samples of a pixel
_COLOUR_TYPES: Final = {channels: colour for colour, channels in _CHANNELS.items()}
_HEADER: Final = ">IIBBBBB"


class NotThisPng(ValueError):
    """No PNG, or one with 16 bits, a palette or interlaced rows."""


@dataclass(frozen=True)
class Picture:
    """8-bit samples, row after row; `channels` of them are a pixel."""

    width: int
    height: int
    channels: int
    samples: bytes

    def at(self, x: float, y: float) -> tuple[int, ...]:
        """The pixel at fractions of width and height, 0…1."""
        column = min(int(x * self.width), self.width - 1)
        row = min(int(y * self.height), self.height - 1)
        start = (row * self.width + column) * self.channels
        return tuple(self.samples[start : start + self.channels])


def encode(picture: Picture) -> bytes:
    colour = _COLOUR_TYPES[picture.channels]
    header = struct.pack(_HEADER, picture.width, picture.height, 8, colour, 0, 0, 0)
    stride = picture.width * picture.channels
    starts = range(0, len(picture.samples), stride)
    rows = b"".join(b"\0" + picture.samples[start : start + stride] for start in starts)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def decode(content: bytes) -> Picture:
    """NotThisPng for what this reader does not read."""
    if not content.startswith(_SIGNATURE):
        raise NotThisPng(f"begins with {content[:8].hex(' ')}")
    chunks = list(_chunks(content))
    width, height, bits, colour, _, _, interlaced = struct.unpack(_HEADER, chunks[0][1])
    if bits != 8 or interlaced or colour not in _CHANNELS:
        raise NotThisPng(f"{bits} bits, colour type {colour}, interlaced {interlaced}")
    channels = _CHANNELS[colour]
    rows = zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"))
    samples = b"".join(_rows(rows, width * channels, channels))
    return Picture(width, height, channels, samples)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_SIGNATURE)
    while place < len(content):
        (length,) = struct.unpack_from(">I", content, place)
        yield content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        place += length + 12


def _rows(filtered: bytes, stride: int, step: int) -> Iterator[bytes]:
    above = bytes(stride)
    for start in range(0, len(filtered), stride + 1):
        above = _unfiltered(filtered[start], filtered[start + 1 : start + 1 + stride], above, step)
        yield above


def _unfiltered(kind: int, row: bytes, above: bytes, step: int) -> bytes:
    """A row as it was before its filter: none, left, up, average or Paeth."""
    out = bytearray(row)
    for place in range(len(out)):
        left = out[place - step] if place >= step else 0
        corner = above[place - step] if place >= step else 0
        out[place] = (out[place] + _predicted(kind, left, above[place], corner)) & 255
    return bytes(out)


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind < 4:
        return (0, left, up, (left + up) // 2)[kind]
    nearest = left + up - corner
    return min((left, up, corner), key=lambda each: abs(nearest - each))
