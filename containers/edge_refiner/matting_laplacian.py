"""Solve the equations of closed-form matting (Levin, Lischinski and Weiss, 2008).

In every 3×3 window, alpha should be a linear function of colour. All windows together are one
system of linear equations in the unknown pixels, the matting Laplacian; conjugate gradients solve
it, together with a prior for each pixel. The matrix is stored as twelve planes: the affinities
between a pixel and the pixels within two steps of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations_with_replacement
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from containers.edge_refiner.box_filter import Plane

# Whitened colours of a nearly plain window lose all their digits in float32.
_Wide = npt.NDArray[np.float64]

_WINDOW: Final = 9  # pixels
_RIDGE: Final = 1e-6  # the paper's ε, for colours in 0…1: keeps plain windows solvable
_MOST_STEPS: Final = 30
_TOLERANCE: Final = 1e-3  # of the first residual
_PLACES: Final = tuple((row, column) for row in range(3) for column in range(3))


class Affinity(NamedTuple):
    """How alike each pixel is to the pixel `down` and `across` of it.

    `likeness` has the size of the image less that distance.
    """

    down: int
    across: int
    likeness: Plane

    @property
    def ends(self) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Index of the first pixels of all pairs, and of the second ones, in an h×w array."""
        height, width = self.likeness.shape
        left, right = max(-self.across, 0), max(self.across, 0)
        begin = slice(0, height), slice(left, left + width)
        return begin, (slice(self.down, self.down + height), slice(right, right + width))


def solve_matte(image: Plane, prior: Plane, weight: Plane) -> Plane:
    """Return the h×w alpha (0…1) that best fits a 3×h×w image in 0…1 and an h×w `prior`.

    `weight`, h×w, is that of a pixel's prior against its windows; where it is infinite, the prior
    is kept. An image smaller than 3×3 has no window, so all of its prior is kept.
    """
    if min(prior.shape) < 3:
        return prior
    free = np.isfinite(weight)
    pull = np.where(free, weight, 0).astype(np.float32)
    affinities = _affinities(image)
    scale = free / (_degree(affinities, prior.shape) + pull + np.float32(1e-6))
    alpha = prior.copy()
    residual = -_laplacian(affinities, alpha) * free
    direction = step = scale * residual
    energy = first = float((residual * step).sum())
    for _ in range(_MOST_STEPS):
        if energy <= _TOLERANCE * _TOLERANCE * first or energy == 0:
            break
        change = (_laplacian(affinities, direction) + pull * direction) * free
        length = np.float32(energy / float((direction * change).sum()))
        alpha += length * direction
        residual -= length * change
        step = scale * residual
        energy, before = float((residual * step).sum()), energy
        direction = step + np.float32(energy / before) * direction
    return np.clip(alpha, 0, 1)


def _laplacian(affinities: list[Affinity], alpha: Plane) -> Plane:
    """Multiply the matting Laplacian by an h×w matte: sums of affinity · difference."""
    product = np.zeros_like(alpha)
    for affinity in affinities:
        begin, end = affinity.ends
        flow = alpha[begin] - alpha[end]
        flow *= affinity.likeness
        product[begin] += flow
        product[end] -= flow
    return product


def _degree(affinities: list[Affinity], shape: tuple[int, ...]) -> Plane:
    """Return the diagonal of the Laplacian, for Jacobi preconditioning."""
    degree = np.zeros(shape, dtype=np.float32)
    for affinity in affinities:
        begin, end = affinity.ends
        degree[begin] += affinity.likeness
        degree[end] += affinity.likeness
    return np.maximum(degree, 0)


def _affinities(image: Plane) -> list[Affinity]:
    height, width = image.shape[1:]
    found: dict[tuple[int, int], Plane] = {}
    for first, second, likeness in _pairs(image):
        (row, column), (to_row, to_column) = first, second
        down, across = to_row - row, to_column - column
        size = height - down, width - abs(across)
        plane = found.setdefault((down, across), np.zeros(size, dtype=np.float32))
        left = min(column, to_column)
        plane[row : row + height - 2, left : left + width - 2] += likeness
    return [Affinity(down, across, plane) for (down, across), plane in found.items()]


def _pairs(image: Plane) -> Iterator[tuple[tuple[int, int], tuple[int, int], _Wide]]:
    """Yield two places of a window, and their affinity in each of the (h-2)×(w-2) windows."""
    whitened = _whitened(image)
    for first, second in combinations_with_replacement(range(_WINDOW), 2):
        if first != second:
            likeness = np.einsum("chw,chw->hw", whitened[first], whitened[second])
            yield _PLACES[first], _PLACES[second], (1 + likeness) / _WINDOW


def _whitened(image: Plane) -> list[_Wide]:
    """Return the colours at each of a window's 9 places, centred and divided by its deviation."""
    height, width = image.shape[1] - 2, image.shape[2] - 2
    colours = [
        image[:, row : row + height, column : column + width].astype(np.float64)
        for row, column in _PLACES
    ]
    mean = sum(colours) / _WINDOW
    centred = [place - mean for place in colours]
    covariance = np.zeros((3, 3, height, width))
    for i, j in combinations_with_replacement(range(3), 2):
        covariance[j, i] = sum(place[i] * place[j] for place in centred) / _WINDOW
    for i in range(3):
        covariance[i, i] += _RIDGE / _WINDOW
    return _forward_substituted(covariance, centred)


def _forward_substituted(covariance: _Wide, centred: list[_Wide]) -> list[_Wide]:
    """Divide the centred colours by the Cholesky factor of `covariance`, which is overwritten."""
    for i in range(3):
        for j in range(i + 1):
            rest = covariance[i, j] - sum(covariance[i, k] * covariance[j, k] for k in range(j))
            covariance[i, j] = (
                np.sqrt(np.maximum(rest, _RIDGE / _WINDOW)) if i == j else rest / covariance[j, j]
            )
    whitened = []
    for place in centred:
        scaled = np.empty_like(place)
        for i in range(3):
            rest = place[i] - sum(covariance[i, k] * scaled[k] for k in range(i))
            scaled[i] = rest / covariance[i, i]
        whitened.append(scaled)
    return whitened
