"""A mask made to follow the photo's edges, tile by tile, in the band of doubt."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from containers.edge_refiner.grain import grain_of
from containers.edge_refiner.guided_filter import fit_linear_model
from containers.edge_refiner.mask import Alpha, blend, doubtful, enlarge_mask
from containers.edge_refiner.resampling import reduced
from containers.edge_refiner.tiling import Tile, each, tiles
from pipeline.photo.pixels import Pixels

_SIDE: Final = 160  # of a tile, in working pixels
_LEAST_BLUR: Final = 0.45
_COMFORTABLE_BLUR: Final = 2.2
_RADIUS_PER_BLUR: Final = 2.75
_LEAST_RADIUS: Final = 2


class Fit(NamedTuple):
    """On a copy `reduction` times smaller, for a mask blurred by `blur` of its pixels."""

    reduction: int
    blur: float

    @classmethod
    def planned(cls, blur: float, *, finest: int) -> Fit:
        """For a mask blurred by `blur` photo pixels, on no copy finer than 1/`finest`."""
        reduction = finest
        while blur / reduction > _COMFORTABLE_BLUR:
            reduction *= 2
        return cls(reduction, max(blur / reduction, _LEAST_BLUR))

    @property
    def radius(self) -> int:
        return max(_LEAST_RADIUS, round(_RADIUS_PER_BLUR * self.blur))

    @property
    def halo(self) -> int:
        """Nothing further away changes a pixel: three blurs each way, and three windows."""
        return math.ceil(6 * self.blur) + 3 * self.radius


def follow_edges(rgb: Pixels, mask: Pixels, doubt: Pixels, fit: Fit) -> Alpha:
    """The h×w mask as an H×W matte that follows the edges of an H×W×3 photo in the band `doubt`."""
    alpha = enlarge_mask(mask, rgb.shape)
    copy = reduced(rgb, fit.reduction)
    # A copy stands for whole blocks of the photo: a mask enlarged to its size would be beside it.
    coarse = reduced(alpha, fit.reduction) if fit.reduction > 1 else alpha.copy()
    busy = doubtful(tiles(alpha.shape, _SIDE * fit.reduction), doubt, alpha.shape)
    fitting = _Fitting(fit, grain_of(rgb, busy), copy, coarse, rgb)
    each(busy, lambda tile: fitting.refine(tile, doubt, alpha))
    return alpha


class _Fitting(NamedTuple):
    """A copy of the photo with the mask at its size, and the photo itself."""

    fit: Fit
    grain: float
    copy: Pixels
    coarse: Alpha
    photo: Pixels

    def refine(self, tile: Tile, doubt: Pixels, onto: Alpha) -> None:
        """Fit on the copy around one tile of the photo, apply there, fade in at the band."""
        ratio = self.fit.reduction
        place = tile.reduced(ratio, halo=self.fit.halo, shape=self.copy.shape)
        model = fit_linear_model(
            self.copy[place.inside],
            self.coarse[place.inside],
            blur=self.fit.blur,
            radius=self.fit.radius,
            grain=self.grain,
        )
        for piece in doubtful(tile.pieces(_SIDE), doubt, onto.shape):
            found = model.applied(
                self.photo[piece.inside],
                onto[piece.inside],
                lambda plane, piece=piece: piece.enlarged_from(plane, place, ratio),  # type: ignore[misc]
            )
            blend(found, piece, doubt, onto=onto)
