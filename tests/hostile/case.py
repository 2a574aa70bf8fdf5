"""One hostile or odd input, and what may become of it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from PIL import Image

from tests.pictures import Pixels

CUTOUT: Final = "cut-out"
NEVER_A_PHOTO: Final = frozenset({"UnsupportedMedia", "CorruptMedia"})
WIDTH, HEIGHT = 96, 64
SUBJECT: Final = (slice(16, 48), slice(24, 72))
INSIDE: Final = (slice(24, 40), slice(32, 64))
GROUND: Final = (12, 10, 8)
Note = Callable[[str, object], None]


@dataclass(frozen=True, eq=False)
class Case:
    """`ends` names what may happen; a cut-out is also held against the picture that was `drawn`.

    `tolerance` is in levels of 256, for what the format itself loses.
    """

    name: str
    content: Callable[[], bytes]
    ends: frozenset[str] = frozenset({CUTOUT})
    drawn: Pixels | None = None
    tolerance: int = 0
    options: dict[str, Any] = field(default_factory=dict)


def drawn() -> Pixels:
    """A bright subject of two colours on a dark ground, 64×96×3."""
    pixels = np.full((HEIGHT, WIDTH, 3), GROUND, dtype=np.uint8)
    pixels[SUBJECT] = (255, 240, 235)
    pixels[16:48, 48:72] = (236, 246, 255)
    return pixels


def picture() -> Image.Image:
    return Image.fromarray(drawn())


def noise(height: int = HEIGHT, width: int = WIDTH, channels: int = 3) -> Image.Image:
    shape = (height, width, channels)
    return Image.fromarray(np.random.default_rng(8).integers(0, 256, shape, dtype=np.uint8))


def saved(image: Image.Image, picture_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, picture_format, **options)
    return buffer.getvalue()


def good(
    name: str, content: Callable[[], bytes], *, seen: Pixels | None = None, tolerance: int = 0
) -> Case:
    """A file that has to become a cut-out of what was drawn (`seen`, where colours are lost)."""
    return Case(name, content, drawn=drawn() if seen is None else seen, tolerance=tolerance)


def bad(name: str, content: Callable[[], bytes], *ends: str) -> Case:
    """A file that has to be refused by one of these names."""
    return Case(name, content, frozenset(ends))


def cut(name: str, content: Callable[[], bytes], *, tolerance: int = 0) -> Case:
    """A file that has to be refused, unless every pixel is still there."""
    ends = NEVER_A_PHOTO | {CUTOUT}
    return Case(name, content, ends, drawn=drawn(), tolerance=tolerance)
