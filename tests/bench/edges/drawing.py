"""Subjects drawn by code, three times too large, and averaged down: colour and true alpha.

Each is drawn twice at once, its shape in white on black and its colours, so that both are exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

Plane = npt.NDArray[np.float32]
Colour = tuple[int, int, int]
Points = list[tuple[float, float]]

FINER: Final = 3
_BLEED: Final = 6  # colour reaches further than shape: what a lens smears of an edge is not black


class Layer(NamedTuple):
    """A subject: H×W×3 colours (0…1, meaningless where alpha is 0) and H×W alpha (0…1)."""

    colours: Plane
    alpha: Plane


class Easel:
    """Shape and colours of one subject, drawn in the coordinates of the finished picture."""

    def __init__(self, width: int, height: int, *, seed: int) -> None:
        size = (width * FINER, height * FINER)
        self.width, self.height = width, height
        self.dice = np.random.default_rng(seed)
        self._shape, self._paint = Image.new("L", size), Image.new("RGB", size)
        self._pens = ImageDraw.Draw(self._shape), ImageDraw.Draw(self._paint)

    def line(self, points: Points, colour: Colour, width: float, opacity: float = 1) -> None:
        shape, paint = self._pens
        scaled, thick = _scaled(points), max(1, round(width * FINER))
        shape.line(scaled, fill=round(255 * opacity), width=thick, joint="curve")
        paint.line(scaled, fill=colour, width=thick + 2, joint="curve")

    def polygon(self, points: Points, colour: Colour, opacity: float = 1) -> None:
        shape, paint = self._pens
        outline = _scaled(points)
        shape.polygon(outline, fill=round(255 * opacity))
        paint.polygon(outline, fill=colour)
        paint.line([*outline, outline[0]], fill=colour, width=_BLEED * FINER)

    def hole(self, points: Points) -> None:
        self._pens[0].polygon(_scaled(points), fill=0)

    def layer(self, *, texture: Plane | None = None, lens_blur: float = 0) -> Layer:
        """The finished subject. `texture` (H×W×3 about 1) multiplies its colours."""
        shape, paint = self._shape, self._paint
        if lens_blur:
            shape = shape.filter(ImageFilter.GaussianBlur(lens_blur * FINER))
        alpha = np.asarray(shape, dtype=np.float32) / np.float32(255)
        colours = np.asarray(paint, dtype=np.float32) / np.float32(255)
        small = _averaged(alpha)
        weighted = _averaged(colours * alpha[..., None])
        mean = weighted / np.maximum(small, 1e-4)[..., None]
        return Layer(np.clip(mean if texture is None else mean * texture, 0, 1), small)


def around(x: float, y: float, radius: Callable[[float], float], *, points: int = 720) -> Points:
    """A closed curve about (x, y); `radius` is of the angle."""
    angles = [2 * math.pi * step / points for step in range(points)]
    return [(x + radius(a) * math.cos(a), y + radius(a) * math.sin(a)) for a in angles]


def mottled(width: int, height: int, *, cell: int, strength: float, seed: int) -> Plane:
    """A random pattern about 1, H×W×3, in cells of `cell` pixels."""
    cells = np.random.default_rng(seed).normal(
        1, strength, (height // cell + 2, width // cell + 2, 3)
    )
    levels = (np.clip(cells / 2, 0, 1) * 255).astype(np.uint8)
    image = Image.fromarray(levels).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image, dtype=np.float32) / np.float32(127.5)


def shade(colour: Colour, dice: np.random.Generator, spread: float) -> Colour:
    """The colour made lighter or darker at random."""
    factor = float(np.clip(dice.normal(1, spread), 0.3, 1.9))
    red, green, blue = (min(255, round(level * factor)) for level in colour)
    return red, green, blue


def _scaled(points: Points) -> Points:
    return [(x * FINER, y * FINER) for x, y in points]


def _averaged(plane: Plane) -> Plane:
    height, width = plane.shape[0] // FINER, plane.shape[1] // FINER
    blocks = plane.reshape(height, FINER, width, FINER, *plane.shape[2:])
    mean: Plane = blocks.mean(axis=(1, 3), dtype=np.float32)
    return mean
