"""Draw images to compare two networks on: the same in every run, and none of them flat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Tensor = npt.NDArray[np.float32]

_RGB: Final = 3


def pictures(height: int, width: int) -> list[Tensor]:
    """Draw height×width×3 images in 0…1: a disc on a slope, stripes behind a box, and noise."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    disc = (np.hypot(y - 0.45, x - 0.55) < 0.3)[..., None]
    slope = np.stack([x, y, 1 - x], axis=-1)
    box = ((np.abs(y - 0.6) < 0.25) & (np.abs(x - 0.4) < 0.2))[..., None]
    stripes = 0.5 + 0.5 * np.sin(40 * np.stack([x + y, x - y, x], axis=-1))
    drawn = [
        np.where(disc, [0.9, 0.7, 0.5], slope),
        np.where(box, [0.1, 0.3, 0.8], stripes),
        _noise(height, width),
    ]
    return [picture.astype(np.float32) for picture in drawn]


def inputs(shape: Sequence[int]) -> list[Tensor] | None:
    """Return the images as a network of this input shape takes them; None if it takes none.

    1×3×H×W networks get them normalised roughly as photos are, H×W×3 networks in 0…255.
    """
    if len(shape) == 4 and shape[1] == _RGB:
        drawn = pictures(*shape[2:])
        return [((each - 0.45) / 0.225).transpose(2, 0, 1)[None].copy() for each in drawn]
    if len(shape) == 3 and shape[2] == _RGB:
        return [each * 255 for each in pictures(*shape[:2])]
    return None


def _noise(height: int, width: int) -> npt.NDArray[np.float64]:
    """Sum random values on finer and finer grids, each half as strong as the coarser one."""
    dice = np.random.default_rng(7)
    total: npt.NDArray[np.float64] = np.zeros((height, width, _RGB))
    for octave in range(2, 7):
        coarse = dice.random((2**octave, 2**octave, _RGB))
        rows, columns = (np.arange(side) * 2**octave // side for side in (height, width))
        total += coarse[rows][:, columns] / 2 ** (octave - 2)
    total /= total.max()
    return total
