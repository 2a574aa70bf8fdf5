"""A mask that follows the photo's edges: the guided filter, in colour (He, Sun and Tang, 2013).

Inside each window the alpha is taken to be a linear function of the photo's red, green and blue.
A mask is the true alpha seen through a blur, so the function is looked for between the mask and the
photo seen through the same blur, and then applied to the photo as it is: what the mask blurred away
comes back. See docs/decisions/0014.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from containers.edge_refiner.box_filter import Plane, box_mean
from containers.edge_refiner.covariance import covariance, dot, products, solve
from containers.edge_refiner.linear_model import LinearModel, in_planes
from pipeline.photo.pixels import Pixels

_ENLARGING_RADIUS: Final = 2
_NEGLIGIBLE: Final = np.float32(1e-5)
_BY_CHANCE, _BEYOND_CHANCE = np.float32(0.25), np.float32(0.6)


class _Regression(NamedTuple):
    """The best linear function in each window, and two variances of the mask, h×w."""

    slope: Plane
    offset: Plane
    variance: Plane
    unexplained: Plane


def fit_linear_model(
    picture: Pixels, mask: Plane, *, blur: float, radius: int, grain: float = 0
) -> LinearModel:
    """Fit h×w `mask` (0…1) by the h×w×3 `picture` in windows of `radius` pixels.

    `blur` is the standard deviation, in pixels, of what the mask cannot resolve; `grain` that of
    the noise in the photo the model will be applied to. The model is followed as far as what it
    adds exceeds the error it leaves and the grain it lets through; the rest stays the mask.
    """
    found = _regress(picture, mask, blur, radius)
    slope, offset = _smooth(found, radius)
    alpha = np.clip(dot(slope, in_planes(picture)) + offset, 0, 1)
    detail = alpha - _blurred_plane(alpha, blur)
    gained, lost, variance = box_mean(
        np.stack([detail * detail, found.unexplained, found.variance]), radius
    )
    let_through = dot(slope, slope) * np.float32(grain * grain)
    trust = _trust(gained, lost, variance, let_through)
    return LinearModel(slope * trust, offset * trust, 1 - trust)


def _trust(gained: Plane, lost: Plane, variance: Plane, grain: Plane) -> Plane:
    """0…1: how far to follow the fit instead of the mask. All are h×w variances of alpha.

    The detail that is `gained`, less the `grain` in it, weighs against the error: what is `lost` of
    the mask's own `variance`, and the grain. A few colours explain some of any mask by chance.
    """
    signal = np.maximum(gained - grain, 0)
    weight = signal / (signal + lost + grain + _NEGLIGIBLE)
    explained = 1 - lost / (variance + _NEGLIGIBLE)
    chance = np.clip((explained - _BY_CHANCE) / (_BEYOND_CHANCE - _BY_CHANCE), 0, 1)
    trust: Plane = weight * chance
    return trust


def enlarging_model(picture: Pixels, alpha: Plane) -> LinearModel:
    """What `alpha`, h×w, is of its picture's colours: to be applied to a larger picture."""
    found = _regress(picture, alpha, 0, _ENLARGING_RADIUS)
    slope, offset = _smooth(found, _ENLARGING_RADIUS)
    return LinearModel(slope, offset, np.zeros_like(offset))


def _regress(picture: Pixels, mask: Plane, blur: float, radius: int) -> _Regression:
    image = Image.fromarray(picture).filter(ImageFilter.GaussianBlur(blur))
    seen = in_planes(np.asarray(image))
    planes = [*seen, mask, mask * mask, *(seen * mask), *products(seen)]
    means = box_mean(np.stack(planes), radius)
    colours, level, squared = means[:3], means[3], means[4]
    shared = means[5:8] - colours * level
    slope = solve(covariance(means[8:], colours), shared)
    variance = np.maximum(squared - level * level, 0)
    return _Regression(
        slope=slope,
        offset=level - dot(slope, colours),
        variance=variance,
        unexplained=np.maximum(variance - dot(slope, shared), 0),
    )


def _smooth(found: _Regression, radius: int) -> tuple[Plane, Plane]:
    """Slope and offset as the mean of all windows that a pixel is in."""
    smooth = box_mean(np.concatenate([found.slope, found.offset[None]]), radius)
    return smooth[:3], smooth[3]


def _blurred_plane(alpha: Plane, blur: float) -> Plane:
    image = Image.fromarray((alpha * 255 + np.float32(0.5)).astype(np.uint8))
    levels = np.asarray(image.filter(ImageFilter.GaussianBlur(blur)), dtype=np.float32)
    return levels * np.float32(1 / 255)
