"""Closed-form matting in the edge band, tile by tile, on top of a matte that is nearly right."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from containers.edge_refiner.box_filter import Plane
from containers.edge_refiner.closed_form import solve_matte
from containers.edge_refiner.guided_filter import enlarging_model
from containers.edge_refiner.linear_model import in_planes
from containers.edge_refiner.mask import Alpha, blend, doubt_in, doubtful
from containers.edge_refiner.resampling import reduced
from containers.edge_refiner.tiling import Tile, each, tiles
from pipeline.photo import Pixels

_SIDE: Final = 128
_HALO: Final = 16
_PULL: Final = 0.2


def solve_edges(
    photo: Pixels, alpha: Alpha, doubt: Pixels, *, mask_pixel: float, finest: int
) -> None:
    """Improve an H×W `alpha` in the band, in place; on copies as coarse as the mask to `finest`.

    `mask_pixel` is in pixels of the H×W×3 photo. The finer a mask is, the more its opinion counts.
    """
    for reduction in (4, 2, 1):
        if finest <= reduction <= mask_pixel:
            pull = _PULL * (reduction / mask_pixel) ** 2
            equations = _Equations(photo, alpha.copy(), doubt, pull, reduction)
            busy = doubtful(tiles(alpha.shape, _SIDE * reduction), doubt, alpha.shape)
            each(busy, lambda tile, equations=equations: equations.solve(tile, onto=alpha))  # type: ignore[misc]


class _Equations(NamedTuple):
    """Set up on a copy `reduction` times smaller, with `prior` as the opinion that pulls."""

    photo: Pixels
    prior: Alpha
    doubt: Pixels
    pull: float
    reduction: int

    def solve(self, tile: Tile, *, onto: Alpha) -> None:
        """One tile, from the equations of its surroundings, blended in."""
        blend(self._solved(tile), tile, self.doubt, onto=onto)

    def _solved(self, tile: Tile) -> Plane:
        """The matte in one tile, enlarged along the photo's colours."""
        shape = self.prior.shape
        region = tile.grown(_HALO * self.reduction, shape)
        picture = reduced(self.photo[region.inside], self.reduction)
        prior = reduced(self.prior[region.inside], self.reduction)
        unsure = reduced(doubt_in(region, self.doubt, shape), self.reduction)
        weight = np.where(unsure > 0, np.float32(self.pull), np.float32(np.inf))
        solved = solve_matte(in_planes(picture), prior, weight)
        origin = region.reduced(self.reduction, halo=0, shape=shape)
        if self.reduction == 1:
            return tile.enlarged_from(solved, origin, 1)
        return enlarging_model(picture, solved).applied(
            self.photo[tile.inside],
            self.prior[tile.inside],
            lambda plane: tile.enlarged_from(plane, origin, self.reduction),
        )
