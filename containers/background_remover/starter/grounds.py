"""Draw backgrounds: a piece of a photo, a gradient or a texture. S×S×3 float32, 0…1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from containers.background_remover.starter.library import Shelf

Picture = npt.NDArray[np.floating[Any]]
Plane = npt.NDArray[np.floating[Any]]
Dice = np.random.Generator


def photo_ground(dice: Dice, shelves: Sequence[Shelf], size: int) -> Picture:
    """Return a random crop of a random photo, stretched to a square, sometimes out of focus."""
    crop = _crop(dice, shelves, size, least=0.2, most=1)
    if dice.random() < 0.5:
        crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if dice.random() < 0.35:
        crop = crop.filter(ImageFilter.BoxBlur(dice.uniform(0.5, size / 24)))
    return np.asarray(crop, np.float32) / 255


def tiled_ground(dice: Dice, shelves: Sequence[Shelf], size: int) -> Picture:
    """Repeat a small piece of a photo, every other one mirrored, with uneven light."""
    side = -(-size // int(dice.integers(3, 10)))
    piece = np.asarray(_crop(dice, shelves, side, least=0.06, most=0.35), np.float32) / 255
    repeats = [(0, -(-size // side) * side - side)] * 2
    tiled = np.pad(piece, [*repeats, (0, 0)], mode="symmetric")[:size, :size]
    light = 1 + dice.uniform(0, 0.5) * (clouds(dice, size, finest=size // 3) - 0.5)
    return np.clip(tiled * light[..., None], 0, 1).astype(np.float32)


def drawn_ground(dice: Dice, size: int) -> Picture:
    """Draw a plane between two or three colours: even, a gradient, clouds or stripes."""
    plane = _PLANES[dice.choice(len(_PLANES), p=_PLANE_SHARES)](dice, size)[..., None]
    first, last = _colour(dice), _colour(dice)
    if dice.random() < 0.5:
        last = np.clip(first + dice.normal(0, 0.12, 3), 0, 1).astype(np.float32)
    ground = first + (last - first) * plane
    grain = dice.uniform(0, 0.05) if dice.random() < 0.6 else 0.0
    noisy = ground + grain * dice.standard_normal((size, size, 1), np.float32)
    return np.clip(noisy, 0, 1).astype(np.float32)


def clouds(dice: Dice, size: int, *, finest: int | None = None) -> Plane:
    """Sum noise over octaves, stretched to 0…1; `finest` is its smallest feature in pixels."""
    cells, weight = int(dice.integers(2, 5)), 1.0
    total = np.zeros((size, size), np.float32)
    while cells < size / (finest or int(dice.integers(1, 9))):
        octave = Image.fromarray(dice.random((cells, cells), np.float32))
        total += weight * np.asarray(octave.resize((size, size), Image.Resampling.BICUBIC))
        cells, weight = cells * 2, weight * float(dice.uniform(0.4, 0.8))
    low, high = float(total.min()), float(total.max())
    return (total - low) / max(high - low, 1e-6)


def _crop(
    dice: Dice, shelves: Sequence[Shelf], size: int, *, least: float, most: float
) -> Image.Image:
    """Return `least` to `most` of each side of a random photo, stretched to size²."""
    shares = np.array([shelf.share for shelf in shelves])
    photos = shelves[dice.choice(len(shelves), p=shares / shares.sum())].photos
    photo = photos[dice.integers(len(photos))]
    width = photo.width * dice.uniform(least, most)
    height = photo.height * dice.uniform(least, most)
    left, top = dice.uniform(0, photo.width - width), dice.uniform(0, photo.height - height)
    box = (left, top, left + width, top + height)
    return photo.resize((size, size), Image.Resampling.BILINEAR, box=box)


def _even(dice: Dice, size: int) -> Plane:
    return np.full((size, size), dice.random(), np.float32)


def _ramp(dice: Dice, size: int) -> Plane:
    along, across = _coordinates(dice, size)
    plane = along + 0.5 if dice.random() < 0.7 else np.hypot(along, across) * 1.4
    return np.clip(plane, 0, 1) ** np.float32(dice.uniform(0.6, 1.6))


def _stripes(dice: Dice, size: int) -> Plane:
    along, across = _coordinates(dice, size)
    waves: Plane = np.sin(along * dice.uniform(8, 90))
    if dice.random() < 0.4:
        waves = np.maximum(waves, np.sin(across * dice.uniform(8, 90)))
    edged: Plane = np.clip(waves * dice.uniform(1, 6), -1, 1).astype(np.float32)
    return (edged + 1) / 2


def _coordinates(dice: Dice, size: int) -> tuple[Plane, Plane]:
    """Return coordinates from -½ to ½ along and across a random direction."""
    steps = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    down, right = np.meshgrid(steps, steps, indexing="ij")
    angle = dice.uniform(0, 2 * np.pi)
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return right * cosine + down * sine, down * cosine - right * sine


def _colour(dice: Dice) -> Picture:
    grey = dice.random()
    return np.clip(grey + dice.normal(0, 0.22, 3), 0, 1).astype(np.float32)


_PLANES: Final[tuple[Callable[[Dice, int], Plane], ...]] = (_even, _ramp, clouds, _stripes)
_PLANE_SHARES: Final = (0.2, 0.35, 0.3, 0.15)
