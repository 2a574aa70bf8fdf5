"""Model alpha as a linear function of colour, and solve for it at every pixel.

Every array is a stack of planes: one plane per colour channel or matrix entry, h×w float32, so that
one numpy call works on every pixel's 3×3 system at once. A symmetric 3×3 matrix is six planes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from containers.edge_refiner.box_filter import Plane
from pipeline.photo.pixels import Pixels

RIDGE: Final = 1e-4  # added to variances of colours in 0…1: a camera's noise, 2½ levels of 255
_PAIRS: Final = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


class LinearModel(NamedTuple):
    """alpha = slope · RGB + offset + kept · (alpha so far), for every pixel.

    `slope` is 3×h×w for RGB in 0…1; `offset` and `kept` are h×w.
    """

    slope: Plane
    offset: Plane
    kept: Plane

    def applied(self, image: Pixels, before: Plane, enlarged: Callable[[Plane], Plane]) -> Plane:
        """Return the alpha (0…1) of an H×W×3 image whose alpha so far is `before`, H×W.

        `enlarged` brings one h×w plane of the model to H×W.
        """
        alpha = enlarged(self.kept)
        alpha *= before
        alpha += enlarged(self.offset)
        for slope, colour in zip(self.slope, in_planes(image), strict=True):
            alpha += colour * enlarged(slope)
        return np.clip(alpha, 0, 1, out=alpha)


def in_planes(image: Pixels) -> Plane:
    """Convert H×W×3 uint8 to 3×H×W float32 in 0…1."""
    planes = np.empty((3, *image.shape[:2]), dtype=np.float32)
    np.multiply(image.transpose(2, 0, 1), np.float32(1 / 255), out=planes)
    return planes


def products(colours: Plane) -> Plane:
    """Multiply the channels of 3×h×w colours pairwise: rr, rg, rb, gg, gb, bb as 6×h×w."""
    return np.stack([colours[i] * colours[j] for i, j in _PAIRS])


def covariance(mean_products: Plane, mean: Plane) -> Plane:
    """Return the 6×h×w covariance of colours from the means of their `products` and of themselves.

    `mean_products` is 6×h×w and `mean` 3×h×w.
    """
    centred: Plane = mean_products - products(mean)
    return centred


def solve(matrix: Plane, target: Plane) -> Plane:
    """Solve (matrix + RIDGE · identity) · x = target for every pixel; x and `target` are 3×h×w.

    `matrix` is 6×h×w. A square-root-free Cholesky factorisation stays accurate in float32 where
    the colours of a window are nearly grey and the matrix nearly singular.
    """
    rr, rg, rb, gg, gb, bb = matrix
    first = rr + np.float32(RIDGE)
    g_of_r, b_of_r = rg / first, rb / first
    second = gg - g_of_r * rg + np.float32(RIDGE)
    left = gb - b_of_r * rg
    b_of_g = left / second
    third = bb - b_of_r * rb - b_of_g * left + np.float32(RIDGE)
    red, green, blue = target
    green = green - g_of_r * red
    blue = (blue - b_of_r * red - b_of_g * green) / third
    green = green / second - b_of_g * blue
    red = red / first - g_of_r * green - b_of_r * blue
    return np.stack([red, green, blue])


def dot(one: Plane, other: Plane) -> Plane:
    """Return the dot product of two 3×h×w arrays at every pixel, h×w."""
    total: Plane = one[0] * other[0] + one[1] * other[1] + one[2] * other[2]
    return total
