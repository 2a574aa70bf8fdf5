"""Alpha from colour: how much of either layer, subject or background, is in a pixel.

Seen along the direction that tells the layers' colours apart best (Fisher's discriminant), a mixed
pixel lies between their means, as far from the background's as its alpha says. How sure that is
depends on how far apart the means are and how widely the colours scatter; how sure the matte so far
is, on how steep it is there. The two opinions are weighed by their variances: Bayesian matting
(Chuang, Curless, Salesin and Szeliski, 2001) with windows instead of clusters. See
docs/decisions/0022.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from containers.edge_refiner.box_filter import Plane, box_mean
from containers.edge_refiner.covariance import dot, solve
from containers.edge_refiner.layers import Layers, gather, gather_around
from containers.edge_refiner.linear_model import LinearModel
from containers.edge_refiner.mask import Alpha, blend, doubtful
from containers.edge_refiner.resampling import reduced
from containers.edge_refiner.tiling import Tile, each, tiles
from pipeline.photo import Pixels

_SIDE: Final = 160  # of a tile, in working pixels
_REACH: Final = 4  # mask pixels
_FREEDOM: Final = 0.35  # for each photo pixel that a mask pixel covers
_MOST_FREEDOM: Final = 1.3
_STEADY: Final = np.float32(0.02)  # no matte is known better


def separate(photo: Pixels, alpha: Alpha, doubt: Pixels, *, mask_pixel: float, finest: int) -> None:
    """Improve an H×W `alpha` in the band `doubt`, in place.

    `mask_pixel` is in pixels of the H×W×3 photo; no copy is finer than 1/`finest` of it.
    """
    for reduction in plan_copies(mask_pixel, finest=finest):
        copy = _Copy.of(photo, alpha, reduction, mask_pixel)

        def improve(tile: Tile, copy: _Copy = copy) -> None:
            copy.improve(tile, photo, doubt, alpha)

        each(doubtful(tiles(alpha.shape, _SIDE * copy.reduction), doubt, alpha.shape), improve)


def plan_copies(mask_pixel: float, *, finest: int) -> list[int]:
    """How many times smaller the copies are, from coarse to fine: two, where the mask is coarse."""
    coarse = 2 ** max(0, round(math.log2(mask_pixel)) - 1)
    wanted = (coarse, max(coarse // 2, 1)) if mask_pixel >= 2 else (coarse,)
    return sorted({max(finest, reduction) for reduction in wanted}, reverse=True)


def weigh(alpha: Plane, layers: Layers, variance: Plane) -> LinearModel:
    """What colour and an h×w matte say together; `variance` is the matte's own."""
    subject, background = layers
    # More than a mixture's own: which of two patterns a half-transparent pixel shows is a guess.
    spread = alpha * subject.spread + (1 - alpha) * background.spread
    apart = subject.mean - background.mean
    direction = solve(spread, apart)
    certainty = dot(direction, apart)
    share = variance / (1 + variance * certainty)
    offset = -share * dot(direction, background.mean)
    return LinearModel(share * direction, offset, 1 - share * certainty)


class _Copy(NamedTuple):
    """The photo and its matte, `reduction` times smaller, and the colours around."""

    picture: Pixels
    alpha: Alpha
    around: Layers
    reduction: int
    mask_pixel: float

    @classmethod
    def of(cls, photo: Pixels, alpha: Alpha, reduction: int, mask_pixel: float) -> _Copy:
        """Of `alpha` as it is now: what is written later does not show."""
        picture = reduced(photo, reduction)
        matte = reduced(alpha, reduction) if reduction > 1 else alpha.copy()
        return cls(picture, matte, gather_around(picture, matte), reduction, mask_pixel)

    def improve(self, tile: Tile, photo: Pixels, doubt: Pixels, onto: Alpha) -> None:
        """Weigh layers and matte around one tile of the photo, and blend the result in."""
        radius = max(1, round(_REACH * self.mask_pixel / self.reduction))
        # One pixel more than the windows: between two pixels at the border, both are asked.
        place = tile.reduced(self.reduction, halo=radius + 1, shape=self.alpha.shape)
        picture, alpha = self.picture[place.inside], self.alpha[place.inside]
        layers = gather(picture, alpha, radius, self.around.enlarged(place))
        model = weigh(alpha, layers, self._variance(alpha))
        for piece in doubtful(tile.pieces(_SIDE), doubt, onto.shape):
            found = model.applied(
                photo[piece.inside],
                onto[piece.inside],
                lambda plane, piece=piece: piece.enlarged_from(plane, place, self.reduction),  # type: ignore[misc]
            )
            blend(found, piece, doubt, onto=onto)

    def _variance(self, alpha: Plane) -> Plane:
        """How far a matte may be from the truth: the steeper it is, and the coarser its mask."""
        radius = max(1, round(self.mask_pixel / self.reduction))
        mean, square = box_mean(np.stack([alpha, alpha * alpha]), radius)
        freedom = np.float32(min(_FREEDOM * self.mask_pixel, _MOST_FREEDOM))
        deviation = freedom * np.sqrt(np.maximum(square - mean * mean, 0)) + _STEADY
        variance: Plane = deviation * deviation
        return variance
