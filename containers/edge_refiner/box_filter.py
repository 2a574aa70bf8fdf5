"""Means over square windows, in time that does not depend on the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]

if TYPE_CHECKING:
    from collections.abc import Sequence


def box_mean(plane: Plane, radius: int) -> Plane:
    """Mean of each (2·radius+1)² window of an H×W or H×W×C plane, cut off at the border."""
    return _mean_along(_mean_along(plane, radius, axis=0), radius, axis=1)


def _mean_along(plane: Plane, radius: int, *, axis: int) -> Plane:
    length = plane.shape[axis]
    centre = np.arange(length)
    first = np.maximum(centre - radius, 0)
    last = np.minimum(centre + radius + 1, length)
    sums = _prefix_sums(plane, axis=axis)
    window = sums.take(last, axis=axis) - sums.take(first, axis=axis)
    shape: Sequence[int] = [-1 if axis == position else 1 for position in range(plane.ndim)]
    mean: Plane = (window / (last - first).reshape(shape)).astype(np.float32)
    return mean


def _prefix_sums(plane: Plane, *, axis: int) -> npt.NDArray[np.float64]:
    """Sums of all values before each position. In float64: small variances survive the sum."""
    padding = [(1, 0) if axis == position else (0, 0) for position in range(plane.ndim)]
    return np.pad(plane.cumsum(axis=axis, dtype=np.float64), padding)
