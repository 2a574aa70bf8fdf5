"""Closed-form matting in the edge band, tile by tile, on top of edges already followed."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image

from containers.edge_refiner.box_filter import Plane, box_mean
from containers.edge_refiner.closed_form import solve_matte
from containers.edge_refiner.guided_filter import enlarging_model, in_planes
from containers.edge_refiner.mask import Alpha, doubt_in, doubtful
from containers.edge_refiner.tiling import Tile, each, tiles
from pipeline.photo import Pixels

_SIDE: Final = 128
_HALO: Final = 16
_PULL: Final = 0.2
_WINDOW: Final = 3
_HARD, _SOFT = np.float32(0.5), np.float32(0.75)
_TINY: Final = np.float32(1e-4)


def soft_parts(mask: Pixels, doubt: Pixels) -> Pixels:
    """The band where the mask is soft beyond a blurred step: 0 where hard to 255 where hair-like.

    Of the variance that a mask with these means could have, a hard edge has about half within seven
    mask pixels; strands that the model could not tell apart have a fifth, a veil none.
    """
    level = mask.astype(np.float32) / np.float32(255)
    mean, undecided = box_mean(np.stack([level, level * (1 - level)]), _WINDOW)
    softness = undecided / (mean * (1 - mean) + _TINY)
    share = np.clip((softness - _HARD) / (_SOFT - _HARD), 0, 1)
    soft: Pixels = (share * doubt).astype(np.uint8)
    return soft


def pull_of(mask_pixel: float) -> float:
    """How much the prior counts, for a mask pixel of so many photo pixels: finer masks know more."""
    return _PULL / mask_pixel**2


def solve_edges(
    rgb: Pixels, alpha: Alpha, doubt: Pixels, where: Pixels, *, pull: float, reduction: int
) -> None:
    """Improve `alpha` (H×W) in place: all of `doubt` is solved for, and blended in as `where` says.

    Both are planes at the mask's resolution, 0…255. The equations are set up on a copy `reduction`
    times smaller, and their solution enlarged along the photo's colours.
    """
    before = alpha.copy()

    def solve(tile: Tile) -> None:
        change = _solved(rgb, before, doubt, tile, pull, reduction)
        change -= before[tile.inside]
        change *= doubt_in(tile, where, alpha.shape)
        alpha[tile.inside] += change

    each(doubtful(tiles(alpha.shape, _SIDE * reduction), where, alpha.shape), solve)


def _solved(
    rgb: Pixels, alpha: Alpha, doubt: Pixels, tile: Tile, pull: float, reduction: int
) -> Plane:
    """The matte in one tile, from the equations of its surroundings."""
    region = tile.grown(_HALO * reduction, alpha.shape)
    picture, prior, unsure = (
        np.asarray(Image.fromarray(plane).reduce(reduction))
        for plane in (
            rgb[region.inside],
            alpha[region.inside],
            doubt_in(region, doubt, alpha.shape),
        )
    )
    weight = np.where(unsure > 0, np.float32(pull), np.float32(np.inf))
    solved = solve_matte(in_planes(picture), prior, weight)
    origin = region.reduced(reduction, halo=0, shape=(10**9, 10**9))
    if reduction == 1:
        return tile.enlarged_from(solved, origin, 1)
    model = enlarging_model(picture, solved)
    return model.applied(
        rgb[tile.inside], lambda plane: tile.enlarged_from(plane, origin, reduction)
    )
