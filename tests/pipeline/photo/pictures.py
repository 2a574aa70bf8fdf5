"""Photo files for the tests, and what to compare pixels with."""

from __future__ import annotations

import io
from typing import Any, Final

import numpy as np
from PIL import Image

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
ORIENTATION, COPYRIGHT, GPS = 0x0112, 0x8298, 0x8825

# What it takes to save without loss, or with so little that colours keep their names.
FAITHFULLY: Final[dict[str, dict[str, Any]]] = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True, "exact": True},
    "TIFF": {},
    "BMP": {},
    "GIF": {},
}


def quadrants() -> Image.Image:
    """Four colours on 24 × 16 pixels: red and green above blue and white."""
    cells = np.array([[RED, GREEN], [BLUE, WHITE]], dtype=np.uint8)
    return Image.fromarray(cells.repeat(8, axis=0).repeat(12, axis=1))


def saved(image: Image.Image, picture_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, picture_format, **(FAITHFULLY[picture_format] | options))
    return buffer.getvalue()


def exif(orientation: int) -> Image.Exif:
    """A camera's EXIF block: orientation, a copyright line and a position."""
    block = Image.Exif()
    block[ORIENTATION] = orientation
    block[COPYRIGHT] = "the photographer"
    block.get_ifd(GPS)[1] = "N"
    return block


def corners(pixels: np.ndarray[Any, Any]) -> list[str]:
    """The names of the colours at top left, top right, bottom left and bottom right."""
    ends = pixels[[1, 1, -2, -2], [1, -2, 1, -2], :3]
    return [_name(colour) for colour in ends.astype(int)]


def _name(colour: np.ndarray[Any, Any]) -> str:
    palette = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}
    return min(palette, key=lambda name: int(np.abs(colour - palette[name]).sum()))
