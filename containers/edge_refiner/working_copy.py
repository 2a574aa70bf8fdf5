"""Reduce a photo and its matte to a smaller copy, on which models of alpha are fitted.

A model fitted on the copy is applied to the photo itself, so the matte has the photo's resolution.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from containers.edge_refiner.edge_band import Alpha, Band
from containers.edge_refiner.linear_model import LinearModel
from containers.edge_refiner.resampling import reduced
from containers.edge_refiner.tiling import Tile
from pipeline.photo.pixels import Pixels


class WorkingCopy(NamedTuple):
    """An H×W×3 photo, and its h×w×3 `image` and h×w `alpha`, `reduction` times smaller."""

    photo: Pixels
    image: Pixels
    alpha: Alpha
    reduction: int

    @classmethod
    def of(cls, photo: Pixels, alpha: Alpha, reduction: int) -> WorkingCopy:
        """Reduce the photo and its H×W matte; later changes to `alpha` do not change the copy."""
        # The enlarged matte is reduced with the photo: the mask enlarged to this size would be
        # shifted by up to a pixel, because a copy's sides are rounded up to whole blocks.
        small = reduced(alpha, reduction) if reduction > 1 else alpha.copy()
        return cls(photo, reduced(photo, reduction), small, reduction)

    def place(self, tile: Tile, *, halo: int) -> Tile:
        """Return the copy's pixels under a tile of the photo, and `halo` more on each side."""
        return tile.reduced(self.reduction, halo=halo, shape=self.alpha.shape)

    def apply(self, model: LinearModel, place: Tile, tile: Tile, band: Band, onto: Alpha) -> None:
        """Write into `onto`, H×W, the alpha that a model of `place` gives in the band of a tile."""
        for piece in band.pieces(tile):
            enlarged = partial(piece.enlarged_from, origin=place, reduction=self.reduction)
            found = model.applied(self.photo[piece.inside], onto[piece.inside], enlarged)
            band.blend(found, piece, onto=onto)
