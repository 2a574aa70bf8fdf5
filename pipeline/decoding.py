"""How many bytes a photo takes while it is decoded, known before a pixel is.

Measured, rounded up, and held to by the tests format by format.
"""

from __future__ import annotations

from typing import Final

from PIL import ImageFile

_NARROW: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
_DECODED: Final = 4  # RGB and alpha, upright
_STRIP: Final = 16 * 2**20  # beside them, a strip at a time
_COEFFICIENT: Final = 2
_WEBP_CANVASES: Final = 16  # of RGBA: two of the decoder's, its answer, and what it unpacks
_TILE_WIDTH, _TILE_LENGTH = 322, 323


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
