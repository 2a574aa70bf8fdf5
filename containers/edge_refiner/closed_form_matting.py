"""Improve a matte by closed-form matting, tile by tile in the edge band.

See docs/decisions/0015.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from containers.edge_refiner.bayesian_matting import ColourModel, plan_reductions
from containers.edge_refiner.box_filter import Plane
from containers.edge_refiner.edge_band import Alpha, Band
from containers.edge_refiner.guided_filter import enlarging_model
from containers.edge_refiner.linear_model import in_planes
from containers.edge_refiner.matting_laplacian import solve_matte
from containers.edge_refiner.resampling import reduced
from containers.edge_refiner.tiling import Tile
from containers.edge_refiner.working_copy import WorkingCopy
from pipeline.parallel import each
from pipeline.photo.pixels import Pixels

_TILE_SIDE: Final = 128  # pixels of the copy: the equations take 27 float64 planes
_HALO: Final = 16  # pixels of the copy: neighbouring tiles then agree within a thousandth
_PULL: Final = 0.5  # the prior's weight where a mask pixel is a pixel of the copy
_LEAST_SHARE: Final = np.float32(0.005)  # of colour in the combined matte, to divide by


def solve_band(photo: Pixels, alpha: Alpha, band: Band, *, finest: int) -> None:
    """Improve an H×W matte of an H×W×3 photo in place, by solving the matting equations.

    Only pixels in the band change. Copies go from as coarse as the mask to 1/`finest`.
    """
    # The colour model's windows are as wide as mask pixels: on a finer copy they would be huge.
    finest_colours = plan_reductions(band.mask_pixel, finest=finest)[-1]
    for reduction in (4, 2, 1):
        if finest <= reduction <= max(band.mask_pixel, finest):
            copy = WorkingCopy.of(photo, alpha, reduction)
            coarser = copy
            if finest_colours > reduction:
                coarser = WorkingCopy.of(photo, alpha, finest_colours)
            equations = _Equations(band, copy, ColourModel.of(coarser, band))
            busy = band.tiles(reduction, side=_TILE_SIDE)
            each(busy, partial(equations.solve, onto=alpha))


class _Equations(NamedTuple):
    """The copy to solve on, whose matte is the prior, and a colour model as coarse or coarser."""

    band: Band
    copy: WorkingCopy
    colours: ColourModel

    def solve(self, tile: Tile, *, onto: Alpha) -> None:
        """Solve for the surroundings of one tile of the photo, and blend the tile into `onto`."""
        place = self.copy.place(tile, halo=_HALO)
        image, prior = self.copy.image[place.inside], self.copy.alpha[place.inside]
        weight = np.where(self._unknown(tile), self._pull(tile, place), np.float32(np.inf))
        solved = solve_matte(in_planes(image), prior, weight)
        self.band.blend(self._enlarged(solved, place, tile, onto), tile, onto=onto)

    def _unknown(self, tile: Tile) -> npt.NDArray[np.bool_]:
        """Return True for the copy's pixels, around a tile of the photo, that are in the band."""
        reduction = self.copy.reduction
        wide = tile.reduced(1, halo=_HALO * reduction, shape=self.band.shape)
        return reduced(self.band.weight(wide), reduction) > 0

    def _pull(self, tile: Tile, place: Tile) -> Plane:
        """Return the prior's weight against the equations for each pixel around a tile.

        The finer the mask, the higher it is; and the less colour separates the layers, the higher,
        because the equations mix layers of similar colours.
        """
        ratio = self.colours.copy.reduction // self.copy.reduction
        wide = self.colours.copy.place(tile, halo=math.ceil(_HALO / ratio) + 1)
        kept = place.enlarged_from(self.colours.fitted(wide).kept, wide, ratio)
        mask_pixel = self.band.mask_pixel / self.copy.reduction
        pull: Plane = np.float32(_PULL / mask_pixel**2) / (1 - kept + _LEAST_SHARE)
        return pull

    def _enlarged(self, solved: Plane, place: Tile, tile: Tile, before: Alpha) -> Plane:
        """Enlarge the solution around a tile to the tile itself, along the photo's colours."""
        reduction = self.copy.reduction
        if reduction == 1:
            return tile.enlarged_from(solved, place, 1)
        enlarge = partial(tile.enlarged_from, origin=place, reduction=reduction)
        model = enlarging_model(self.copy.image[place.inside], solved)
        return model.applied(self.copy.photo[tile.inside], before[tile.inside], enlarge)
