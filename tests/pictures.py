"""Photos the tests draw themselves."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]


def square(*, side: int = 96, left: int = 32, top: int = 32, size: int = 32) -> Pixels:
    """A white square (the subject, to the brightness model) on black, side×side×3."""
    pixels = np.zeros((side, side, 3), dtype=np.uint8)
    pixels[top : top + size, left : left + size] = 255
    return pixels


def png(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def unpng(content: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(content)))
