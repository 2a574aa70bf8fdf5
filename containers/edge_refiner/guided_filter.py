"""A mask that follows the photo's edges: the guided filter, in colour (He, Sun and Tang, 2013).

Inside each window the alpha is taken to be a linear function of the photo's red, green and blue.
A mask is the true alpha seen through a blur, so the function is looked for between the mask and the
photo seen through the same blur, and then applied to the photo as it is: what the mask blurred away
comes back. See docs/decisions/0014.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from containers.edge_refiner.box_filter import Plane, box_mean
from pipeline.photo import Pixels

_RIDGE: Final = 1e-4  # the variance of a camera's grain: 2½ levels of 255
_ENLARGING_RADIUS: Final = 2
_NEGLIGIBLE: Final = np.float32(1e-5)
_BY_CHANCE, _BEYOND_CHANCE = np.float32(0.25), np.float32(0.6)
_PAIRS: Final = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


class LinearModel(NamedTuple):
    """alpha = slope · RGB + offset; slope is 3×h×w for RGB in 0…1, offset h×w."""

    slope: Plane
    offset: Plane

    def applied(self, picture: Pixels, enlarged: Callable[[Plane], Plane]) -> Plane:
        """The alpha of an H×W×3 picture, 0…1; `enlarged` brings a plane to its size."""
        found = enlarged(self.offset)
        colours = in_planes(picture)
        for slope, colour in zip(self.slope, colours, strict=True):
            found += colour * enlarged(slope)
        return np.clip(found, 0, 1, out=found)


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
    alpha = np.clip(_dot(slope, in_planes(picture)) + offset, 0, 1)
    detail = alpha - _blurred_plane(alpha, blur)
    gained, lost, variance = box_mean(
        np.stack([detail * detail, found.unexplained, found.variance]), radius
    )
    let_through = _dot(slope, slope) * np.float32(grain * grain)
    trust = _trust(gained, lost, variance, let_through)
    return LinearModel(slope * trust, mask + trust * (offset - mask))


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
    return _smooth(_regress(picture, alpha, 0, _ENLARGING_RADIUS), _ENLARGING_RADIUS)


def explained_share(picture: Pixels, mask: Plane, *, blur: float, radius: int) -> float:
    """How much of the mask's variance the blurred photo explains, 0…1."""
    found = _regress(picture, mask, blur, radius)
    return 1 - float(found.unexplained.sum() / max(found.variance.sum(), _NEGLIGIBLE))


def _regress(picture: Pixels, mask: Plane, blur: float, radius: int) -> _Regression:
    image = Image.fromarray(picture).filter(ImageFilter.GaussianBlur(blur))
    seen = in_planes(np.asarray(image))
    products = [seen[i] * seen[j] for i, j in _PAIRS]
    planes = np.stack([*seen, mask, mask * mask, *(seen * mask), *products])
    means = box_mean(planes, radius)
    colours, level, squared = means[:3], means[3], means[4]
    shared = means[5:8] - colours * level
    covariances = [means[8 + k] - colours[i] * colours[j] for k, (i, j) in enumerate(_PAIRS)]
    slope = _solve(covariances, shared)
    variance = np.maximum(squared - level * level, 0)
    return _Regression(
        slope=slope,
        offset=level - _dot(slope, colours),
        variance=variance,
        unexplained=np.maximum(variance - _dot(slope, shared), 0),
    )


def _smooth(found: _Regression, radius: int) -> LinearModel:
    """The mean of all windows that a pixel is in."""
    smooth = box_mean(np.concatenate([found.slope, found.offset[None]]), radius)
    return LinearModel(smooth[:3], smooth[3])


def _solve(covariances: list[Plane], shared: Plane) -> Plane:
    """(covariance of the colours + ridge · identity)⁻¹ · `shared` in each window, 3×h×w.

    By square-root-free Cholesky factors, which stay exact where a window is nearly grey.
    """
    rr, rg, rb, gg, gb, bb = covariances
    first = rr + np.float32(_RIDGE)
    g_of_r, b_of_r = rg / first, rb / first
    second = gg - g_of_r * rg + np.float32(_RIDGE)
    left = gb - b_of_r * rg
    b_of_g = left / second
    third = bb - b_of_r * rb - b_of_g * left + np.float32(_RIDGE)
    red, green, blue = shared
    green = green - g_of_r * red
    blue = (blue - b_of_r * red - b_of_g * green) / third
    green = green / second - b_of_g * blue
    red = red / first - g_of_r * green - b_of_r * blue
    return np.stack([red, green, blue])


def in_planes(picture: Pixels) -> Plane:
    """H×W×3 bytes as 3×H×W in 0…1."""
    planes = np.empty((3, *picture.shape[:2]), dtype=np.float32)
    np.multiply(picture.transpose(2, 0, 1), np.float32(1 / 255), out=planes)
    return planes


def _blurred_plane(alpha: Plane, blur: float) -> Plane:
    image = Image.fromarray((alpha * 255 + np.float32(0.5)).astype(np.uint8))
    levels = np.asarray(image.filter(ImageFilter.GaussianBlur(blur)), dtype=np.float32)
    return levels * np.float32(1 / 255)


def _dot(one: Plane, other: Plane) -> Plane:
    """h×w of the products of two 3×h×w, added up."""
    total: Plane = one[0] * other[0] + one[1] * other[1] + one[2] * other[2]
    return total
