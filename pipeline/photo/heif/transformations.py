"""Read a picture's transformative properties: crop, rotation and mirroring, in their order."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from pipeline.errors import CorruptMedia, UnsupportedMedia
from pipeline.photo.heif.boxes import Fields
from pipeline.photo.heif.items import Property

TRANSFORMATIONS: Final = {b"clap", b"imir", b"irot"}
# From the upright places of a picture's four quarters, as stored, to its EXIF orientation.
_ORIENTATIONS: Final[dict[tuple[int, ...], int]] = {
    (0, 1, 2, 3): 1, (1, 0, 3, 2): 2, (3, 2, 1, 0): 3, (2, 3, 0, 1): 4,
    (0, 2, 1, 3): 5, (2, 0, 3, 1): 6, (3, 1, 2, 0): 7, (1, 3, 0, 2): 8,
}  # fmt: skip


def crop_and_orientation(
    properties: Iterable[Property], width: int, height: int
) -> tuple[tuple[int, int, int, int], int]:
    """Return the crop as left, top, right and bottom, and the EXIF orientation after it."""
    crop = (0, 0, width, height)
    quarters = [[0, 1], [2, 3]]
    for kind, body, _ in properties:
        if kind == b"clap":
            if quarters != [[0, 1], [2, 3]] or crop != (0, 0, width, height):
                raise UnsupportedMedia("a HEIF photo that is cropped after it was turned")
            crop = _crop(body, width, height)
        elif kind == b"irot":
            for _ in range(Fields(body).number(1) & 3):
                quarters = [list(column) for column in zip(*quarters, strict=True)][::-1]
        elif kind == b"imir":
            sideways = Fields(body).number(1) & 1
            quarters = [row[::-1] for row in quarters] if sideways else quarters[::-1]
    return crop, _ORIENTATIONS[tuple(quarters[0] + quarters[1])]


def _crop(body: memoryview, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the clean aperture, 12.1.4 of ISO/IEC 14496-12: its size, and its centre's offset."""
    fields = Fields(body)
    numbers = [int.from_bytes(fields.take(4), "big", signed=True) for _ in range(8)]
    if not all(numbers[1::2]):
        raise CorruptMedia("damaged HEIF: its crop divides by zero")
    across, down, right, low = map(Fraction, numbers[::2], numbers[1::2])
    left, top = round((width - across) / 2 + right), round((height - down) / 2 + low)
    crop = left, top, left + round(across), top + round(down)
    if not (0 <= left < crop[2] <= width and 0 <= top < crop[3] <= height):
        raise CorruptMedia("damaged HEIF: its crop lies outside the photo")
    return crop
