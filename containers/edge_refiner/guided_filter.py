"""A mask that follows the photo's edges: the fast guided filter (He and Sun, 2015).

Inside each window the alpha is taken to be a linear function of the photo's brightness. The two
coefficients are found on a small copy and applied at full resolution.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from containers.edge_refiner.box_filter import Plane, box_mean


class LinearModel(NamedTuple):
    """alpha = slope · brightness + offset; both h×w, at the small copy's resolution."""

    slope: Plane
    offset: Plane


def fit_linear_model(
    brightness: Plane, mask: Plane, *, radius: int, regularisation: float
) -> LinearModel:
    """Fit h×w `mask` (0…1) by h×w `brightness` (0…1) in windows of `radius` pixels."""
    mean_brightness = box_mean(brightness, radius)
    mean_mask = box_mean(mask, radius)
    covariance = box_mean(brightness * mask, radius) - mean_brightness * mean_mask
    variance = box_mean(brightness * brightness, radius) - mean_brightness * mean_brightness
    slope: Plane = np.divide(covariance, variance + regularisation, dtype=np.float32)
    offset = mean_mask - slope * mean_brightness
    return LinearModel(box_mean(slope, radius), box_mean(offset, radius))
