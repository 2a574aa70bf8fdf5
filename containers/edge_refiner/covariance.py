"""Second moments of colours: six planes of a symmetric 3×3 matrix for every pixel."""

from __future__ import annotations

from typing import Final

import numpy as np

from containers.edge_refiner.box_filter import Plane

RIDGE: Final = 1e-4  # the variance of a camera's grain: 2½ levels of 255
_PAIRS: Final = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


def products(colours: Plane) -> Plane:
    """6×h×w: red·red, red·green, red·blue, green·green, green·blue, blue·blue of 3×h×w."""
    return np.stack([colours[i] * colours[j] for i, j in _PAIRS])


def covariance(mean_products: Plane, mean: Plane) -> Plane:
    """6×h×w, of what has the 6×h×w mean of `products` and the 3×h×w `mean`."""
    spread: Plane = mean_products - products(mean)
    return spread


def solve(spread: Plane, shared: Plane) -> Plane:
    """(6×h×w `spread` + ridge · identity)⁻¹ · `shared` for every pixel, 3×h×w.

    By square-root-free Cholesky factors, which stay exact where a window is nearly grey.
    """
    rr, rg, rb, gg, gb, bb = spread
    first = rr + np.float32(RIDGE)
    g_of_r, b_of_r = rg / first, rb / first
    second = gg - g_of_r * rg + np.float32(RIDGE)
    left = gb - b_of_r * rg
    b_of_g = left / second
    third = bb - b_of_r * rb - b_of_g * left + np.float32(RIDGE)
    red, green, blue = shared
    green = green - g_of_r * red
    blue = (blue - b_of_r * red - b_of_g * green) / third
    green = green / second - b_of_g * blue
    red = red / first - g_of_r * green - b_of_r * blue
    return np.stack([red, green, blue])


def dot(one: Plane, other: Plane) -> Plane:
    """h×w of the products of two 3×h×w, added up."""
    total: Plane = one[0] * other[0] + one[1] * other[1] + one[2] * other[2]
    return total
