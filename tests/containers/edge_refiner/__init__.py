"""Drawn photos and masks whose true alpha is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from containers.edge_refiner.budget import Budget
from pipeline.photo.pixels import Photo, Pixels

Alpha = npt.NDArray[np.float32]
Colour = tuple[int, int, int]

AMPLE = Budget(memory_mb=10_240)

SAND: Colour = (200, 190, 170)
NIGHT: Colour = (30, 50, 60)


def disk(side: int, *, softness: float = 1.0) -> Alpha:
    """Draw a disk with a radius of 0.3 × `side`; its edge is a ramp of `softness` pixels."""
    down, across = np.mgrid[:side, :side] + 0.5 - side / 2
    ramp = (0.3 * side - np.hypot(down, across)) / softness + 0.5
    alpha: Alpha = np.clip(ramp, 0, 1).astype(np.float32)
    return alpha


def composite(subject: Colour, backdrop: Colour, alpha: Alpha) -> Pixels:
    """Draw one colour in front of another: H×W×3."""
    weight = alpha[..., None]
    mixed = np.array(subject) * weight + np.array(backdrop) * (1 - weight)
    return mixed.round().astype(np.uint8)


def noisy(image: Pixels, levels: float) -> Pixels:
    """Add noise of `levels` of 255 (standard deviation), the same on every call."""
    noise = np.random.default_rng(1).normal(0, levels, image.shape)
    return np.clip(image + noise, 0, 255).round().astype(np.uint8)


def fabric(side: int, colour: Colour, *, cell: int, seed: int) -> Pixels:
    """Draw a random pattern around one colour, in cells of `cell` pixels."""
    rng = np.random.default_rng(seed)
    cells = rng.normal(colour, 45, (side // cell, side // cell, 3)).clip(0, 255).astype(np.uint8)
    return np.asarray(Image.fromarray(cells).resize((side, side), Image.Resampling.BICUBIC))


def over(front: Pixels, back: Pixels, alpha: Alpha) -> Pixels:
    """Draw `front` in front of `back`: H×W×3."""
    weight = alpha[..., None]
    return (front * weight + back * (1 - weight)).round().astype(np.uint8)


def photo_of(rgb: Pixels, alpha: Pixels | None = None) -> Photo:
    return Photo(rgb, alpha, None, None)


def coarse_mask(alpha: Alpha, side: int = 64, *, blur: float = 0) -> Pixels:
    """Reduce true alpha to the mask of an exact model, side × side, blurred by `blur` pixels."""
    pixels = (alpha * 255).round().astype(np.uint8)
    mask = Image.fromarray(pixels).resize((side, side), Image.Resampling.BOX)
    return np.asarray(mask.filter(ImageFilter.GaussianBlur(blur)) if blur else mask)
