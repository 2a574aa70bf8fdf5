"""Fit a photo on a canvas of fixed size, and convert points and masks between the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from containers.background_remover.network import Tensor
from pipeline.photo.pixels import Pixels

# A model recognises a turned subject slightly less well. A photo is turned if that shows it more
# than this much finer: 4:5 and narrower on a canvas of 2:3.
_WORTH_TURNING: Final = 1.2


@dataclass(frozen=True)
class Placement:
    """An H×W photo in the top left `height`×`width` of a canvas, or stretched to all of it.

    A turned photo lies on its left side: its right edge is at the top.
    """

    photo: tuple[int, int]
    canvas: tuple[int, int]
    height: int
    width: int
    turned: bool

    def paint(self, picture: Pixels) -> Tensor:
        """Return the canvas with the H×W×3 photo as float32 0…255; the rest is black."""
        lying = np.ascontiguousarray(np.rot90(picture)) if self.turned else picture
        # Pillow averages every pixel it removes; `reducing_gap` makes that fast.
        fitted = Image.fromarray(lying).resize(
            (self.width, self.height), Image.Resampling.BILINEAR, reducing_gap=3.0
        )
        canvas = np.zeros((*self.canvas, 3), dtype=np.float32)
        canvas[: self.height, : self.width] = np.asarray(fitted)
        return canvas

    def locate(self, x: float, y: float) -> tuple[float, float]:
        """Return a point of the upright photo as a point of the canvas, both in pixels."""
        tall, wide = self.photo
        if self.turned:
            x, y, tall, wide = y, wide - x, wide, tall
        return x * self.width / wide, y * self.height / tall

    def lift(self, plane: Tensor) -> Tensor:
        """Return the photo's part of a canvas-sized plane, upright."""
        part = plane[: self.height, : self.width]
        return np.ascontiguousarray(np.rot90(part, -1)) if self.turned else part


def place(photo: tuple[int, int], canvas: tuple[int, int]) -> Placement:
    """Fit an H×W photo, turned if that shows it clearly finer."""
    tall, wide = photo
    upright, lying = _scale(tall, wide, canvas), _scale(wide, tall, canvas)
    turned = lying > _WORTH_TURNING * upright
    height, width = fitted_size((wide, tall) if turned else (tall, wide), canvas)
    return Placement(photo=photo, canvas=canvas, height=height, width=width, turned=turned)


def stretch(photo: tuple[int, int], canvas: tuple[int, int]) -> Placement:
    """Stretch an H×W photo to all of a canvas."""
    return Placement(photo=photo, canvas=canvas, height=canvas[0], width=canvas[1], turned=False)


def fitted_size(photo: tuple[int, int], canvas: tuple[int, int]) -> tuple[int, int]:
    """Return height and width of an H×W photo that is as large as fits on a canvas, upright."""
    scale = _scale(*photo, canvas)
    height, width = (max(1, round(side * scale)) for side in photo)
    return min(canvas[0], height), min(canvas[1], width)


def _scale(height: int, width: int, canvas: tuple[int, int]) -> float:
    return min(canvas[0] / height, canvas[1] / width)
