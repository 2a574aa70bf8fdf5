"""Guided filter in colour: make the mask follow the photo's edges (He, Sun and Tang, 2013).

Inside each window, alpha is taken to be a linear function of the photo's red, green and blue.
A mask is the true alpha seen through a blur. The function is therefore fitted between the mask and
the photo with the same blur, and applied to the sharp photo, which restores the detail that the
mask has lost. See docs/decisions/0014.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from containers.edge_refiner.box_filter import Plane, box_mean
from containers.edge_refiner.edge_band import Alpha, Band, enlarge_mask
from containers.edge_refiner.linear_model import (
    LinearModel,
    covariance,
    dot,
    in_planes,
    products,
    solve,
)
from containers.edge_refiner.tiling import Tile
from containers.edge_refiner.working_copy import WorkingCopy
from pipeline.parallel import each
from pipeline.photo.pixels import Pixels

_MASK_BLUR: Final = 0.9  # standard deviation of a segmentation network's blur, in mask pixels
_LEAST_BLUR: Final = 0.45  # pixels of the copy, like the next two
_MOST_BLUR: Final = 2.2
_LEAST_RADIUS: Final = 2
_RADIUS_PER_BLUR: Final = 2.75
_ENLARGING_RADIUS: Final = 2
_NEGLIGIBLE: Final = np.float32(1e-5)  # variance
_BY_CHANCE, _BEYOND_CHANCE = np.float32(0.25), np.float32(0.6)  # shares of explained variance

_MOST_NOISE_TILES: Final = 8
_NOISE_GAIN: Final = 6.0  # of the kernel in `_second_differences` on white noise: √(4·1 + 4·4 + 16)
_MEDIAN: Final = 0.6745  # median distance of a normal variable from its mean, in deviations


class Scale(NamedTuple):
    """How small a copy the filter runs on, and the mask's blur there, in pixels of the copy."""

    reduction: int
    blur: float

    @classmethod
    def planned(cls, blur: float, *, finest: int) -> Scale:
        """Choose a copy on which a blur of `blur` photo pixels is at most 2.2 pixels.

        Its reduction is `finest` or that doubled as often as needed. Radius, and therefore time,
        grows with the blur.
        """
        reduction = finest
        while blur / reduction > _MOST_BLUR:
            reduction *= 2
        return cls(reduction, max(blur / reduction, _LEAST_BLUR))

    @property
    def radius(self) -> int:
        """The radius of the filter's windows, in pixels of the copy."""
        return max(_LEAST_RADIUS, round(_RADIUS_PER_BLUR * self.blur))

    @property
    def halo(self) -> int:
        """How far a pixel can change the result: two blurs of three deviations, three windows."""
        return math.ceil(6 * self.blur) + 3 * self.radius


class _Regression(NamedTuple):
    """The linear fit of each window: 3×h×w slope, h×w offset, and two h×w variances of the mask."""

    slope: Plane
    offset: Plane
    variance: Plane
    unexplained: Plane


def follow_edges(photo: Pixels, band: Band, *, finest: int) -> Alpha:
    """Return the band's mask as an H×W matte that follows the edges of an H×W×3 photo.

    Outside the band, the matte is the enlarged mask. No copy is finer than 1/`finest` of the photo.
    """
    alpha = enlarge_mask(band.mask, band.shape)
    scale = Scale.planned(_MASK_BLUR * band.mask_pixel, finest=finest)
    copy = WorkingCopy.of(photo, alpha, scale.reduction)
    busy = band.tiles(scale.reduction)
    noise = estimate_noise(photo, busy)

    def follow(tile: Tile) -> None:
        place = copy.place(tile, halo=scale.halo)
        model = fit_linear_model(
            copy.image[place.inside],
            copy.alpha[place.inside],
            blur=scale.blur,
            radius=scale.radius,
            noise=noise,
        )
        copy.apply(model, place, tile, band, onto=alpha)

    each(busy, follow)
    return alpha


def fit_linear_model(
    image: Pixels, mask: Plane, *, blur: float, radius: int, noise: float = 0
) -> LinearModel:
    """Fit an h×w `mask` (0…1) by the colours of an h×w×3 image, in windows of `radius` pixels.

    `blur` is the standard deviation, in pixels, of the blur in the mask; `noise` is that of the
    noise (0…1) in the photo the model will be applied to. The model follows the fit as far as the
    detail it adds exceeds its error and the noise it lets through; the rest stays the mask.
    """
    fit = _regress(image, mask, blur, radius)
    slope, offset = _smooth(fit, radius)
    alpha = np.clip(dot(slope, in_planes(image)) + offset, 0, 1)
    detail = alpha - _blurred_plane(alpha, blur)
    gained, lost, variance = box_mean(
        np.stack([detail * detail, fit.unexplained, fit.variance]), radius
    )
    let_through = dot(slope, slope) * np.float32(noise * noise)
    trust = _trust(gained, lost, variance, let_through)
    return LinearModel(slope * trust, offset * trust, 1 - trust)


def enlarging_model(image: Pixels, alpha: Plane) -> LinearModel:
    """Fit an h×w matte by the colours of its h×w×3 image, to be applied to a larger image."""
    fit = _regress(image, alpha, 0, _ENLARGING_RADIUS)
    slope, offset = _smooth(fit, _ENLARGING_RADIUS)
    return LinearModel(slope, offset, np.zeros_like(offset))


def estimate_noise(photo: Pixels, where: Sequence[Tile]) -> float:
    """Return the standard deviation (0…1) of a photo's noise, from some of the given tiles.

    It is the median response to a kernel that ignores slopes and straight edges (Immerkær, 1996).
    """
    chosen = where[:: max(1, len(where) // _MOST_NOISE_TILES)]
    responses = [_second_differences(photo[tile.inside]) for tile in chosen]
    found = np.concatenate(responses) if responses else np.zeros(1, dtype=np.int16)
    if not found.size:
        return 0.0
    return float(np.median(found)) / _MEDIAN / _NOISE_GAIN / 255


def _trust(gained: Plane, lost: Plane, variance: Plane, noise: Plane) -> Plane:
    """Return how far to follow the fit instead of the mask: 0…1, h×w.

    All arguments are h×w variances of alpha. `gained` is the detail that the fit adds, noise
    included; `lost` is the part of the mask's own `variance` that the fit does not explain. A fit
    that explains a quarter or less gets no trust: a few colours explain that much of any mask by
    chance.
    """
    signal = np.maximum(gained - noise, 0)
    weight = signal / (signal + lost + noise + _NEGLIGIBLE)
    explained = 1 - lost / (variance + _NEGLIGIBLE)
    significance = np.clip((explained - _BY_CHANCE) / (_BEYOND_CHANCE - _BY_CHANCE), 0, 1)
    trust: Plane = weight * significance
    return trust


def _regress(image: Pixels, mask: Plane, blur: float, radius: int) -> _Regression:
    blurred = Image.fromarray(image).filter(ImageFilter.GaussianBlur(blur))
    colours = in_planes(np.asarray(blurred))
    planes = [*colours, mask, mask * mask, *(colours * mask), *products(colours)]
    means = box_mean(np.stack(planes), radius)
    colour, level, squared = means[:3], means[3], means[4]
    shared = means[5:8] - colour * level
    slope = solve(covariance(means[8:], colour), shared)
    variance = np.maximum(squared - level * level, 0)
    return _Regression(
        slope=slope,
        offset=level - dot(slope, colour),
        variance=variance,
        unexplained=np.maximum(variance - dot(slope, shared), 0),
    )


def _smooth(fit: _Regression, radius: int) -> tuple[Plane, Plane]:
    """Average slope and offset over every window that contains the pixel."""
    smooth = box_mean(np.concatenate([fit.slope, fit.offset[None]]), radius)
    return smooth[:3], smooth[3]


def _blurred_plane(alpha: Plane, blur: float) -> Plane:
    image = Image.fromarray((alpha * 255 + np.float32(0.5)).astype(np.uint8))
    levels = np.asarray(image.filter(ImageFilter.GaussianBlur(blur)), dtype=np.float32)
    return levels * np.float32(1 / 255)


def _second_differences(photo: Pixels) -> npt.NDArray[np.int16]:
    """Return the absolute second difference, across and down, of the green channel, flattened."""
    green = photo[..., 1].astype(np.int16)
    across = green[:, :-2] - 2 * green[:, 1:-1] + green[:, 2:]
    down = across[:-2] - 2 * across[1:-1] + across[2:]
    responses: npt.NDArray[np.int16] = np.abs(down).ravel()
    return responses
