"""Pictures and photo files for the tests, and the names of their colours."""

from __future__ import annotations

import io
from typing import Any, Final

import numpy as np
from PIL import Image

from tests.pictures import Pixels

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
ORIENTATION, COPYRIGHT, GPS = 0x0112, 0x8298, 0x8825
WIDTH, HEIGHT = 96, 64
SUBJECT: Final = (slice(16, 48), slice(24, 72))
INSIDE: Final = (slice(24, 40), slice(32, 64))
GROUND: Final = (12, 10, 8)

# Options that save without loss, or with so little that each colour can be recognised.
FAITHFULLY: Final[dict[str, dict[str, Any]]] = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True, "exact": True},
    "TIFF": {},
    "BMP": {},
    "GIF": {},
    "AVIF": {"quality": 100, "subsampling": "4:4:4", "speed": 10},
    "HEIC": {"quality": -1, "chroma": 444},
}


def quadrants() -> Image.Image:
    """Draw four colours on 24 × 16 pixels: red and green above blue and white."""
    cells = np.array([[RED, GREEN], [BLUE, WHITE]], dtype=np.uint8)
    return Image.fromarray(cells.repeat(8, axis=0).repeat(12, axis=1))


def drawn() -> Pixels:
    """Draw a bright subject of two colours on a dark ground, 64×96×3."""
    pixels = np.full((HEIGHT, WIDTH, 3), GROUND, dtype=np.uint8)
    pixels[SUBJECT] = (255, 240, 235)
    pixels[16:48, 48:72] = (236, 246, 255)
    return pixels


def noise(height: int = HEIGHT, width: int = WIDTH, channels: int = 3) -> Image.Image:
    """Draw the same random pixels each time."""
    shape = (height, width, channels)
    return Image.fromarray(np.random.default_rng(8).integers(0, 256, shape, dtype=np.uint8))


def saved(image: Image.Image, picture_format: str, **options: Any) -> bytes:
    """Save a picture in a format, faithfully unless `options` say otherwise."""
    buffer = io.BytesIO()
    settings = FAITHFULLY[picture_format] | options
    if picture_format == "HEIC":
        _save_heic(image, buffer, settings)
    else:
        image.save(buffer, picture_format, **settings)
    return buffer.getvalue()


def _save_heic(image: Image.Image, buffer: io.BytesIO, settings: dict[str, Any]) -> None:
    """Save with the tests' own encoder, which turns EXIF's orientation into HEIF's, too."""
    from pillow_heif.as_plugin import register_heif_opener

    register_heif_opener()
    if "exif" in settings:
        image = image.copy()
        image.info["exif"] = settings.pop("exif").tobytes()
    image.save(buffer, "HEIF", **settings)


def exif(orientation: int) -> Image.Exif:
    """Return a camera's EXIF block: orientation, copyright and position."""
    block = Image.Exif()
    block[ORIENTATION] = orientation
    block[COPYRIGHT] = "the photographer"
    block.get_ifd(GPS)[1] = "N"
    return block


def corners(pixels: np.ndarray[Any, Any]) -> list[str]:
    """Name the colours at top left, top right, bottom left and bottom right."""
    ends = pixels[[1, 1, -2, -2], [1, -2, 1, -2], :3]
    return [_name(colour) for colour in ends.astype(int)]


def _name(colour: np.ndarray[Any, Any]) -> str:
    palette = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}
    return min(palette, key=lambda name: int(np.abs(colour - palette[name]).sum()))
