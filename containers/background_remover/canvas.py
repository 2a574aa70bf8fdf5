"""How a photo lies on a canvas of fixed size, and where its points and masks are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from containers.background_remover.network import Tensor
from pipeline.photo.pixels import Pixels

# Seen from the side, a subject is a little harder to tell. More than this much finer is worth it:
# 4:5 and narrower on a canvas of 2:3.
_WORTH_TURNING: Final = 1.2


@dataclass(frozen=True)
class Placement:
    """An H×W photo in the top left of a canvas: `height`×`width` of it are the photo.

    A turned photo lies on its left side: its right edge is at the top.
    """

    photo: tuple[int, int]
    canvas: tuple[int, int]
    height: int
    width: int
    turned: bool

    def paint(self, picture: Pixels) -> Tensor:
        """The H×W×3 photo on its canvas as float32 0…255; the rest is black."""
        lying = np.ascontiguousarray(np.rot90(picture)) if self.turned else picture
        # Pillow averages over every pixel it drops; `reducing_gap` keeps that quick.
        fitted = Image.fromarray(lying).resize(
            (self.width, self.height), Image.Resampling.BILINEAR, reducing_gap=3.0
        )
        canvas = np.zeros((*self.canvas, 3), dtype=np.float32)
        canvas[: self.height, : self.width] = np.asarray(fitted)
        return canvas

    def locate(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the upright photo is on the canvas, both in pixels."""
        tall, wide = self.photo
        if self.turned:
            x, y, tall, wide = y, wide - x, wide, tall
        return x * self.width / wide, y * self.height / tall

    def lift(self, plane: Tensor) -> Tensor:
        """The part of a canvas-sized plane that is the photo, upright."""
        part = plane[: self.height, : self.width]
        return np.ascontiguousarray(np.rot90(part, -1)) if self.turned else part


def place(photo: tuple[int, int], canvas: tuple[int, int]) -> Placement:
    """Fit an H×W photo, on its side if that shows clearly more of it."""
    tall, wide = photo
    upright, lying = _scale(tall, wide, canvas), _scale(wide, tall, canvas)
    turned = lying > _WORTH_TURNING * upright
    scale = lying if turned else upright
    height, width = (wide, tall) if turned else (tall, wide)
    return Placement(
        photo=photo,
        canvas=canvas,
        height=min(canvas[0], max(1, round(height * scale))),
        width=min(canvas[1], max(1, round(width * scale))),
        turned=turned,
    )


def _scale(height: int, width: int, canvas: tuple[int, int]) -> float:
    return min(canvas[0] / height, canvas[1] / width)
