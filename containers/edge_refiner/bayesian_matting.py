"""Bayesian matting: estimate alpha from local colours and combine it with the matte so far.

Along the direction that best separates two layers' colours (Fisher's discriminant), a mixed pixel
lies between their means; alpha is its distance from the background's mean, as a share of the
distance between both. This estimate is certain where the means are far apart and the colours
scatter little; the matte so far is certain where it is flat. Both are weighted by the inverse of
their variances: Bayesian matting (Chuang, Curless, Salesin and Szeliski, 2001), with windows
instead of clusters. See docs/decisions/0022.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from containers.edge_refiner.box_filter import Box, Plane, box_mean
from containers.edge_refiner.edge_band import Alpha, Band
from containers.edge_refiner.layers import Chosen, DistantLayers, Layers, Radii, gather
from containers.edge_refiner.linear_model import LinearModel, dot, solve
from containers.edge_refiner.resampling import Indices
from containers.edge_refiner.tiling import Tile
from containers.edge_refiner.working_copy import WorkingCopy
from pipeline.parallel import each
from pipeline.photo.pixels import Pixels

_WIDE_RADIUS: Final = 4  # mask pixels
_NEAR_RADIUS: Final = 1.5  # mask pixels
_LEAST_NEAR_RADIUS: Final = 4  # pixels of the copy: fewer make no sample
_FREEDOM: Final = 0.35  # for each photo pixel in the side of a mask pixel
_MOST_FREEDOM: Final = 1.3
_SECOND_PASS_FREEDOM: Final = 0.5  # the same colours at the same size are hardly new evidence
_LEAST_DEVIATION: Final = np.float32(0.02)  # no matte is more certain


class ColourEstimate(NamedTuple):
    """Alpha estimated from colour alone: direction · (RGB - background) ÷ certainty.

    `direction` and `background` are 3×n for RGB in 0…1. `certainty`, for n pixels, is the inverse
    of the estimate's variance.
    """

    direction: Plane
    background: Plane
    certainty: Plane

    @classmethod
    def of(cls, layers: Layers, alpha: Plane) -> ColourEstimate:
        """Estimate alpha from two layers' colours; `alpha` is the matte so far."""
        subject, background = layers
        # A true mixture's covariance has squared shares, which is too certain here: which colours
        # of two patterns a soft pixel mixes is unknown.
        scatter = alpha * subject.covariance + (1 - alpha) * background.covariance
        difference = subject.mean - background.mean
        direction = solve(scatter, difference)
        return cls(direction, background.mean, dot(direction, difference))

    def combined(self, variance: Plane) -> LinearModel:
        """Combine with a matte of this `variance`; the model's `kept` is the matte's weight."""
        share = variance / (1 + variance * self.certainty)
        offset = -share * dot(self.direction, self.background)
        return LinearModel(share * self.direction, offset, 1 - share * self.certainty)


class ColourModel(NamedTuple):
    """A working copy, its band and its distant colours, for fitting alpha to local colours.

    `mask_pixel` is in pixels of the copy. The matte's standard deviation is `freedom` times the
    standard deviation of alpha within a mask pixel.
    """

    copy: WorkingCopy
    band: Band
    distant: DistantLayers
    mask_pixel: float
    freedom: float

    @classmethod
    def of(cls, copy: WorkingCopy, band: Band, *, share: float = 1) -> ColourModel:
        """Prepare a copy; `share` is how much of the usual freedom the matte has."""
        freedom = min(_FREEDOM * band.mask_pixel, _MOST_FREEDOM) * share
        distant = DistantLayers.of(copy.image, copy.alpha)
        return cls(copy, band, distant, band.mask_pixel / copy.reduction, freedom)

    def fitted(self, place: Tile) -> LinearModel:
        """Fit alpha at a place of the copy, where the band reaches it; elsewhere keep the matte."""
        reached = self.band.reaches(place, self.copy.reduction)
        rows, columns = np.nonzero(reached)
        slope, offset = (np.zeros((*each, *reached.shape), np.float32) for each in ((3,), ()))
        kept = np.ones(reached.shape, np.float32)
        if rows.size:
            box = Tile(rows[0], columns.min(), rows[-1] + 1, columns.max() + 1)
            places = np.ravel_multi_index((rows - box.top, columns - box.left), box.size[::-1])
            found = self._fitted(box.moved(place.top, place.left), places)
            slope[:, rows, columns], offset[rows, columns], kept[rows, columns] = found
        return LinearModel(slope, offset, kept)

    def _fitted(self, box: Tile, places: Indices) -> LinearModel:
        """Fit alpha at n pixels of the copy, given by their positions in a flattened box."""
        around = box.reduced(1, halo=max(self._radii), shape=self.copy.alpha.shape)
        chosen = Chosen(box.moved(-around.top, -around.left).inside, places)
        image, alpha = self.copy.image[around.inside], self.copy.alpha[around.inside]
        layers = gather(image, alpha, self._radii, self.distant.at(box, places), chosen)
        radius = max(1, round(self.mask_pixel))
        variance = matte_variance(alpha, radius, freedom=self.freedom, inside=chosen.box)
        estimate = ColourEstimate.of(layers, chosen.of(alpha[chosen.box]))
        return estimate.combined(chosen.of(variance))

    @property
    def _radii(self) -> Radii:
        near = max(_LEAST_NEAR_RADIUS, round(_NEAR_RADIUS * self.mask_pixel))
        return Radii(max(near, round(_WIDE_RADIUS * self.mask_pixel)), near)


def separate_layers(photo: Pixels, alpha: Alpha, band: Band, *, finest: int) -> None:
    """Improve an H×W matte of an H×W×3 photo in place, by the colours of the two layers.

    Only pixels in the band change. No copy is finer than 1/`finest` of the photo.
    """
    last = 0
    for reduction in plan_reductions(band.mask_pixel, finest=finest):
        share = _SECOND_PASS_FREEDOM if reduction == last else 1
        _improve(WorkingCopy.of(photo, alpha, reduction), band, share=share, onto=alpha)
        last = reduction


def plan_reductions(mask_pixel: float, *, finest: int) -> list[int]:
    """Return the reductions of the copies to work on, from coarse to fine, the finest twice.

    `mask_pixel` is in photo pixels. A mask as fine as the photo needs one size, a coarser one two.
    The finest is repeated because a better matte gives better layer colours.
    """
    coarse = 2 ** max(0, round(math.log2(mask_pixel)) - 1)
    wanted = (coarse, max(coarse // 2, 1)) if mask_pixel >= 2 else (coarse,)
    sizes = sorted({max(finest, reduction) for reduction in wanted}, reverse=True)
    return [*sizes, sizes[-1]]


def matte_variance(
    alpha: Plane, radius: int, *, freedom: float, inside: Box | None = None
) -> Plane:
    """Return the variance of an h×w matte: the steeper it is in a window, the less certain.

    Only the rows and columns `inside` are returned.
    """
    mean, square = box_mean(np.stack([alpha, alpha * alpha]), radius, inside)
    steepness = np.sqrt(np.maximum(square - mean * mean, 0))
    deviation = np.float32(freedom) * steepness + _LEAST_DEVIATION
    variance: Plane = deviation * deviation
    return variance


def _improve(copy: WorkingCopy, band: Band, *, share: float, onto: Alpha) -> None:
    """Fit a model on one copy and apply it. What it took is freed before the next copy is made."""
    model = ColourModel.of(copy, band, share=share)

    def improve(tile: Tile) -> None:
        place = copy.place(tile, halo=1)  # for the bilinear enlargement
        copy.apply(model.fitted(place), place, tile, band, onto=onto)

    each(band.tiles(copy.reduction), improve)
