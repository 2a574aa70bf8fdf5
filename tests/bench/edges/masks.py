"""What a model would say of a subject: smaller, softer, surer of itself, and a little off."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from pipeline.photo.pixels import Pixels
from tests.bench.edges.drawing import Plane


class Eye(NamedTuple):
    """A model's input side, its blur and wander in mask pixels, and how it exaggerates."""

    side: int
    blur: float
    wander: float
    gain: float


# Of segmentation networks, by side.
EYES: Final = {320: Eye(320, 1.1, 0.5, 1.6), 1024: Eye(1024, 1.0, 0.25, 1.2)}
# A matting network trained on mattes is sharper, and exaggerates nothing: assumed, not measured.
_MATTING: Final = Eye(0, 0.7, 0.15, 1.0)
# Photo pixels a mask pixel: 4 for 1024² of a photo of 12 megapixels, 2 for 2048² of it. The photos
# here are small, so the networks are: a mask finer than its photo would test nothing.
RATIOS: Final = (4, 2)
_PATCH: Final = 16  # mask pixels over which the wander changes


def matting_eye(alpha: Plane, ratio: int) -> Eye:
    """The eye of a matting network whose mask pixels are `ratio` pixels of an H×W alpha."""
    return _MATTING._replace(side=max(alpha.shape) // ratio)


def seen_by(eye: Eye, alpha: Plane, *, seed: int) -> Pixels:
    """The mask, side × side uint8, that the model makes of an H×W alpha."""
    levels = Image.fromarray((alpha * 255).round().astype(np.uint8))
    # A network that is finer than the photo sees an enlarged photo; it is no sharper for it.
    scale = max(1.0, eye.side / max(alpha.shape))
    small = levels.resize((eye.side, eye.side), Image.Resampling.BOX)
    soft = small.filter(ImageFilter.GaussianBlur(eye.blur * scale))
    moved = _displaced(
        np.asarray(soft, dtype=np.float32) / np.float32(255), eye.wander * scale, seed
    )
    opinion = np.clip((moved - 0.5) * eye.gain + 0.5, 0, 1)
    mask: Pixels = (opinion * 255).round().astype(np.uint8)
    return mask


def _displaced(mask: Plane, wander: float, seed: int) -> Plane:
    """Each place as it is `wander` pixels (standard deviation) away, in smoothly varying ways."""
    side = mask.shape[0]
    coarse = np.random.default_rng(seed).normal(0, 1, (2, side // _PATCH + 2, side // _PATCH + 2))
    down, across = (
        np.asarray(
            Image.fromarray(plane.astype(np.float32)).resize((side, side), Image.Resampling.BICUBIC)
        )
        * wander
        for plane in coarse
    )
    rows, columns = np.mgrid[:side, :side]
    return _bilinear(mask, rows + down, columns + across)


def _bilinear(plane: Plane, rows: Plane, columns: Plane) -> Plane:
    height, width = plane.shape
    rows, columns = np.clip(rows, 0, height - 1.001), np.clip(columns, 0, width - 1.001)
    top, left = rows.astype(int), columns.astype(int)
    low, right = (rows - top).astype(np.float32), (columns - left).astype(np.float32)
    upper = plane[top, left] * (1 - right) + plane[top, left + 1] * right
    lower = plane[top + 1, left] * (1 - right) + plane[top + 1, left + 1] * right
    mixed: Plane = upper * (1 - low) + lower * low
    return mixed
