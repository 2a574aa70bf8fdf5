"""Closed-form matting in the edge band, tile by tile, on top of a matte that is nearly right.

See docs/decisions/0015.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from containers.edge_refiner.box_filter import Plane
from containers.edge_refiner.closed_form import solve_matte
from containers.edge_refiner.copies import Copy
from containers.edge_refiner.guided_filter import enlarging_model
from containers.edge_refiner.linear_model import in_planes
from containers.edge_refiner.mask import Alpha, blend, doubt_in, doubtful
from containers.edge_refiner.resampling import reduced
from containers.edge_refiner.separation import plan_copies
from containers.edge_refiner.tiling import Tile, each, tiles
from pipeline.photo.pixels import Pixels

_SIDE: Final = 128
_HALO: Final = 16
_PULL: Final = 0.5
_LEAST_SAY: Final = np.float32(0.005)


def solve_edges(
    photo: Pixels, alpha: Alpha, doubt: Pixels, *, mask_pixel: float, finest: int
) -> None:
    """Improve an H×W `alpha` in the band, in place; on copies as coarse as the mask to `finest`.

    `mask_pixel` is in pixels of the H×W×3 photo.
    """
    # Windows of colours are as wide as mask pixels: on finer copies than this they would be huge.
    finest_asked = plan_copies(mask_pixel, finest=finest)[-1]
    for reduction in (4, 2, 1):
        if finest <= reduction <= max(mask_pixel, finest):
            copy = Copy.of(photo, alpha, reduction, mask_pixel=mask_pixel)
            asked = copy
            if finest_asked > reduction:
                asked = Copy.of(photo, alpha, finest_asked, mask_pixel=mask_pixel)
            equations = _Equations(photo, doubt, copy, asked)
            busy = doubtful(tiles(alpha.shape, _SIDE * reduction), doubt, alpha.shape)
            each(busy, lambda tile, equations=equations: equations.solve(tile, onto=alpha))  # type: ignore[misc]


class _Equations(NamedTuple):
    """Set up on a `copy`, whose matte pulls; colour is `asked` on one as coarse or coarser."""

    photo: Pixels
    doubt: Pixels
    copy: Copy
    asked: Copy

    def solve(self, tile: Tile, *, onto: Alpha) -> None:
        """One tile, from the equations of its surroundings, blended in."""
        place = tile.reduced(self.copy.reduction, halo=_HALO, shape=self.copy.alpha.shape)
        picture, prior = self.copy.picture[place.inside], self.copy.alpha[place.inside]
        unsure = self._unsure(tile)
        weight = np.where(unsure, self._pull(tile, place), np.float32(np.inf))
        solved = solve_matte(in_planes(picture), prior, weight)
        blend(self._enlarged(solved, place, tile, onto), tile, self.doubt, onto=onto)

    def _unsure(self, tile: Tile) -> npt.NDArray[np.bool_]:
        """Where the copy is in the band, around a tile of the photo."""
        ratio = self.copy.reduction
        shape = self.photo.shape
        return reduced(doubt_in(tile.grown(_HALO * ratio, shape), self.doubt, shape), ratio) > 0

    def _pull(self, tile: Tile, place: Tile) -> Plane:
        """How much the matte so far counts beside the equations, at a place around a tile.

        The more, the finer its mask is, and the less colour can tell the layers apart: between like
        colours the equations let one run into the other.
        """
        ratio = self.asked.reduction // self.copy.reduction
        halo = math.ceil(_HALO / ratio) + self.asked.halo
        wide = tile.reduced(self.asked.reduction, halo=halo, shape=self.asked.alpha.shape)
        kept = place.enlarged_from(self.asked.reconsidered(wide).kept, wide, ratio)
        pull: Plane = np.float32(_PULL / self.copy.mask_pixel**2) / (1 - kept + _LEAST_SAY)
        return pull

    def _enlarged(self, solved: Plane, place: Tile, tile: Tile, before: Alpha) -> Plane:
        """A tile of the photo from what was solved around it, along the photo's colours."""
        ratio = self.copy.reduction
        if ratio == 1:
            return tile.enlarged_from(solved, place, 1)
        return enlarging_model(self.copy.picture[place.inside], solved).applied(
            self.photo[tile.inside],
            before[tile.inside],
            lambda plane: tile.enlarged_from(plane, place, ratio),
        )
