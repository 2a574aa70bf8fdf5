"""How much a photo may be made of: more than any camera or editor writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from PIL import ImageFile

from pipeline.errors import MediaTooLarge

MAX_BYTES: Final = 100 * 2**20
MAX_PIXELS: Final = 100_000_000
MAX_SIDE: Final = 65_535  # what a JPEG can say
MOST_PARTS: Final = 100_000  # a PNG of 100 MiB in pieces of 1 KiB
MOST_SCANS: Final = 100  # a camera's progressive JPEG has about ten; each costs a pass
MOST_EXIF_BYTES: Final = 2**20
MOST_PROFILE_BYTES: Final = 2**20
MOST_TIFF_TAGS: Final = 2**16
MOST_STRIPS: Final = 2**20

# Bytes a pixel takes while decoded: measured, rounded up, held to by the tests format by format.
_NARROW: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
_DECODED: Final = 4  # RGB and alpha, upright
_STRIP: Final = 16 * 2**20  # beside them, a strip at a time
_COEFFICIENT: Final = 2
_WEBP_CANVASES: Final = 16  # of RGBA: two of the decoder's, its answer, and what it unpacks
_TILE_WIDTH, _TILE_LENGTH = 322, 323


def require_bytes(count: int) -> None:
    """MediaTooLarge if a file of this length is not opened."""
    if count > MAX_BYTES:
        raise MediaTooLarge(f"{count:,} bytes; the limit is {MAX_BYTES:,}")


def require_size(width: int, height: int) -> None:
    """MediaTooLarge if a picture of this size is not decoded."""
    if width * height > MAX_PIXELS:
        raise MediaTooLarge(f"{width} × {height} pixels; the limit is {MAX_PIXELS:,} in all")
    if max(width, height) > MAX_SIDE:
        raise MediaTooLarge(f"{width} × {height} pixels; the limit is {MAX_SIDE:,} on a side")


def counted(parts: str) -> Iterator[int]:
    """Count as far as `MOST_PARTS`, then raise MediaTooLarge."""
    yield from range(MOST_PARTS)
    raise MediaTooLarge(f"it is cut into more than {MOST_PARTS:,} {parts}")


def decoding_bytes(image: ImageFile.ImageFile, coded: tuple[int, int]) -> int:
    """The bytes that decoding an opened picture takes at most, its file aside.

    `coded` is the size in the file, in pixels: a JPEG may be decoded to a smaller one.
    """
    pixels, coded_pixels = image.width * image.height, coded[0] * coded[1]
    each = _NARROW.get(image.mode, 4) + _DECODED
    if image.format == "TIFF":
        tags = image.tag_v2  # type: ignore[attr-defined]
        each += 4  # turned by Pillow itself
        coded_pixels = int(tags.get(_TILE_WIDTH, 0)) * int(tags.get(_TILE_LENGTH, 0))
        return pixels * each + coded_pixels * 8 + _STRIP
    if image.format == "WEBP":
        each += _WEBP_CANVASES
    if image.format == "JPEG":
        each += 4  # decoded again where its end looks made up
    if image.info.get("progressive"):
        return pixels * each + coded_pixels * len(image.getbands()) * _COEFFICIENT + _STRIP
    return pixels * each + _STRIP
