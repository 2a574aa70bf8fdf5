"""A mask that follows the photo's edges: the guided filter, in colour (He, Sun and Tang, 2013).

Inside each window the alpha is taken to be a linear function of the photo's red, green and blue.
The four coefficients are found on a small copy and applied at full resolution (He and Sun, 2015).
Where colour does not explain the mask, the mask stays as it is.
"""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from containers.edge_refiner.box_filter import Plane, box_mean

_NEGLIGIBLE: Final = 1e-6  # the variance of a mask that is off by a thousandth


class LinearModel(NamedTuple):
    """alpha = slope · RGB + offset; slope is h×w×3, offset h×w, at the small copy's resolution."""

    slope: Plane
    offset: Plane


def fit_linear_model(
    colours: Plane, mask: Plane, *, radius: int, mask_pixel: int, regularisation: float
) -> LinearModel:
    """Fit h×w `mask` (0…1) by h×w×3 `colours` (0…1) in windows of `radius` pixels.

    `mask_pixel` is the radius within which the mask knows no detail of its own.
    """
    mean_colours, mean_mask = box_mean(colours, radius), box_mean(mask, radius)
    shared = box_mean(colours * mask[..., None], radius) - mean_colours * mean_mask[..., None]
    slope = _solve(colours, mean_colours, shared, radius, regularisation)
    offset = box_mean(mean_mask - _dot(slope, mean_colours), radius)
    variance = _variance(mask, radius)
    unexplained = np.maximum(variance - _dot(slope, shared), 0)
    trust = _trust(
        box_mean(unexplained, radius), box_mean(variance, radius), _variance(mask, mask_pixel)
    )
    return LinearModel(
        slope=box_mean(slope, radius) * trust[..., None],
        offset=offset * trust + mask * (1 - trust),
    )


def _trust(unexplained: Plane, variance: Plane, unresolved: Plane) -> Plane:
    """0…1, h×w: how far to follow the fit instead of the mask. All three are variances of alpha.

    Of two guesses, each weighs by the other's error: the fit's is what it leaves `unexplained`,
    the mask's what it holds `unresolved` within one of its pixels. A fit that explains no more
    than half of the mask's `variance` found noise or texture, not the edge, and weighs nothing.
    """
    weight = unresolved / (unresolved + unexplained + _NEGLIGIBLE)
    explained = np.clip(1 - 2 * unexplained / (variance + _NEGLIGIBLE), 0, 1)
    trust: Plane = weight * explained
    return trust


def _variance(mask: Plane, radius: int) -> Plane:
    return np.maximum(box_mean(mask * mask, radius) - np.square(box_mean(mask, radius)), 0)


def _solve(colours: Plane, means: Plane, shared: Plane, radius: int, ridge: float) -> Plane:
    """(covariance of the colours + ridge · identity)⁻¹ · `shared` in each window, h×w×3.

    By Cramer's rule, in float64: a grey window's determinant is a small difference of products.
    """
    matrix = np.empty((3, *colours.shape))
    for i, j in combinations_with_replacement(range(3), 2):
        product = box_mean(colours[..., i] * colours[..., j], radius)
        covariance = product - means[..., i] * means[..., j]
        matrix[i, ..., j] = matrix[j, ..., i] = covariance + ridge * (i == j)
    red, green, blue = matrix
    cofactors = np.cross(green, blue), np.cross(blue, red), np.cross(red, green)
    determinant = _dot(red, cofactors[0])
    solved = [_dot(shared, cofactor) / determinant for cofactor in cofactors]
    return np.stack(solved, axis=-1).astype(np.float32)


def _dot(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """h×w of the products of two h×w×3, added up."""
    total: npt.NDArray[Any] = np.einsum("hwc,hwc->hw", one, other)
    return total
