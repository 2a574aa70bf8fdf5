"""Closed-form matting in the edge band, tile by tile, on top of edges already followed."""

from __future__ import annotations

from typing import Final, NamedTuple

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


def solve_edges(photo: Pixels, alpha: Alpha, band: Band, *, mask_pixel: float, finest: int) -> None:
    """Improve an H×W `alpha` in place, on copies from as coarse as the mask to `finest`.

    `mask_pixel` is in pixels of the H×W×3 photo. The finer a mask is, the more its opinion counts.
    """
    for reduction in (4, 2, 1):
        if finest <= reduction <= mask_pixel:
            equations = _Equations(
                photo, alpha.copy(), band.doubt, _PULL * (reduction / mask_pixel) ** 2, reduction
            )
            equations.solve(band.wanted, onto=alpha)


class Band(NamedTuple):
    """At the mask's resolution, 0…255: what is solved for, and how far the solution is wanted."""

    doubt: Pixels
    wanted: Pixels


class _Equations(NamedTuple):
    """Set up on a copy `reduction` times smaller, with `prior` as the opinion that pulls."""

    photo: Pixels
    prior: Alpha
    doubt: Pixels
    pull: float
    reduction: int

    def solve(self, wanted: Pixels, *, onto: Alpha) -> None:
        """Tile by tile; the solution is enlarged along the photo's colours and blended in."""

        def solve(tile: Tile) -> None:
            change = self._solved(tile)
            change -= self.prior[tile.inside]
            change *= doubt_in(tile, wanted, onto.shape)
            onto[tile.inside] += change

        each(doubtful(tiles(onto.shape, _SIDE * self.reduction), wanted, onto.shape), solve)

    def _solved(self, tile: Tile) -> Plane:
        """The matte in one tile, from the equations of its surroundings."""
        shape = self.prior.shape
        region = tile.grown(_HALO * self.reduction, shape)
        picture, prior, unsure = (
            np.asarray(Image.fromarray(plane).reduce(self.reduction))
            for plane in (
                self.photo[region.inside],
                self.prior[region.inside],
                doubt_in(region, self.doubt, shape),
            )
        )
        weight = np.where(unsure > 0, np.float32(self.pull), np.float32(np.inf))
        solved = solve_matte(in_planes(picture), prior, weight)
        origin = region.reduced(self.reduction, halo=0, shape=shape)
        if self.reduction == 1:
            return tile.enlarged_from(solved, origin, 1)
        return enlarging_model(picture, solved).applied(
            self.photo[tile.inside],
            lambda plane: tile.enlarged_from(plane, origin, self.reduction),
        )
