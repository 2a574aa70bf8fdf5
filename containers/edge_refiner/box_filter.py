"""Means over square windows, in time that does not depend on the window."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]


def box_mean(plane: Plane, radius: int) -> Plane:
    """Mean of each (2·radius+1)² window of an H×W or H×W×C plane, cut off at the border."""
    down = _mean_of_rows(plane, radius)
    across = _mean_of_rows(np.ascontiguousarray(down.swapaxes(0, 1)), radius)
    return np.ascontiguousarray(across.swapaxes(0, 1))


def _mean_of_rows(plane: Plane, radius: int) -> Plane:
    """Mean of each row with its neighbours: one row joins the running sum, one leaves.

    The sum is kept in float64, so that small variances survive it.
    """
    height = plane.shape[0]
    count = min(radius, height)
    total = plane[:count].sum(axis=0, dtype=np.float64)
    means = np.empty_like(plane, dtype=np.float32)
    for row in range(height):
        if row + radius < height:
            total += plane[row + radius]
            count += 1
        if row - radius > 0:
            total -= plane[row - radius - 1]
            count -= 1
        np.divide(total, count, out=means[row], casting="unsafe")
    return means
