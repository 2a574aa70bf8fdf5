"""The matte that fits the photo best: closed-form matting (Levin, Lischinski and Weiss, 2008).

In every 3×3 window alpha should be a linear function of colour. All windows together are one system
of linear equations in the unknown pixels; it is solved by conjugate gradients, with a prior opinion
of each pixel. The matrix is kept as twelve planes: affinities between a pixel and those within two
steps of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations_with_replacement
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from containers.edge_refiner.box_filter import Plane

_Wide = npt.NDArray[np.float64]

_WINDOW: Final = 9
_RIDGE: Final = 1e-6
_MOST_STEPS: Final = 30
_ENOUGH: Final = 1e-3  # of the first residual
_PLACES: Final = tuple((row, column) for row in range(3) for column in range(3))


class Affinity(NamedTuple):
    """How alike each pixel is to the one `down` and `across` of it; h×w less that distance."""

    down: int
    across: int
    likeness: Plane

    @property
    def ends(self) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Where the pairs begin, and where they end."""
        height, width = self.likeness.shape
        left, right = max(-self.across, 0), max(self.across, 0)
        begin = slice(0, height), slice(left, left + width)
        return begin, (slice(self.down, self.down + height), slice(right, right + width))


def solve_matte(picture: Plane, prior: Plane, weight: Plane) -> Plane:
    """The h×w alpha (0…1) that suits a 3×h×w picture in 0…1, and its h×w `prior`.

    `weight` is how much the prior of a pixel counts against its window; where it is infinite, the
    pixel stays as it is. A picture below 3×3 has no window, and keeps its prior.
    """
    if min(prior.shape) < 3:
        return prior
    free = np.isfinite(weight)
    pull = np.where(free, weight, 0).astype(np.float32)
    affinities = _affinities(picture)
    scale = free / (_degree(affinities, prior.shape) + pull + np.float32(1e-6))
    alpha = prior.copy()
    residual = -_laplacian(affinities, alpha) * free
    direction = step = scale * residual
    energy = first = float((residual * step).sum())
    for _ in range(_MOST_STEPS):
        if energy <= _ENOUGH * _ENOUGH * first or energy == 0:
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
    """What each pixel's windows ask of it: the sum of affinity · difference."""
    asked = np.zeros_like(alpha)
    for affinity in affinities:
        begin, end = affinity.ends
        flow = alpha[begin] - alpha[end]
        flow *= affinity.likeness
        asked[begin] += flow
        asked[end] -= flow
    return asked


def _degree(affinities: list[Affinity], shape: tuple[int, ...]) -> Plane:
    degree = np.zeros(shape, dtype=np.float32)
    for affinity in affinities:
        begin, end = affinity.ends
        degree[begin] += affinity.likeness
        degree[end] += affinity.likeness
    return np.maximum(degree, 0)


def _affinities(picture: Plane) -> list[Affinity]:
    height, width = picture.shape[1:]
    found: dict[tuple[int, int], Plane] = {}
    for first, second, likeness in _pairs(picture):
        (row, column), (to_row, to_column) = first, second
        down, across = to_row - row, to_column - column
        size = height - down, width - abs(across)
        plane = found.setdefault((down, across), np.zeros(size, dtype=np.float32))
        left = min(column, to_column)
        plane[row : row + height - 2, left : left + width - 2] += likeness
    return [Affinity(down, across, plane) for (down, across), plane in found.items()]


def _pairs(picture: Plane) -> Iterator[tuple[tuple[int, int], tuple[int, int], _Wide]]:
    """Two places of a window, and how alike they are in each of the (h-2)×(w-2) windows."""
    whitened = _whitened(picture)
    for first, second in combinations_with_replacement(range(_WINDOW), 2):
        if first != second:
            likeness = np.einsum("chw,chw->hw", whitened[first], whitened[second])
            yield _PLACES[first], _PLACES[second], (1 + likeness) / _WINDOW


def _whitened(picture: Plane) -> list[_Wide]:
    """The colours at each place of a window, in units of the window's own spread."""
    height, width = picture.shape[1] - 2, picture.shape[2] - 2
    seen = [
        picture[:, row : row + height, column : column + width].astype(np.float64)
        for row, column in _PLACES
    ]
    mean = sum(seen) / _WINDOW
    apart = [place - mean for place in seen]
    spread = np.zeros((3, 3, height, width))
    for i, j in combinations_with_replacement(range(3), 2):
        spread[j, i] = sum(place[i] * place[j] for place in apart) / _WINDOW
    for i in range(3):
        spread[i, i] += _RIDGE / _WINDOW
    return _forward_substituted(spread, apart)


def _forward_substituted(spread: _Wide, apart: list[_Wide]) -> list[_Wide]:
    """Each of `apart` divided by the Cholesky factor of `spread`, which is overwritten."""
    for i in range(3):
        for j in range(i + 1):
            rest = spread[i, j] - sum(spread[i, k] * spread[j, k] for k in range(j))
            spread[i, j] = (
                np.sqrt(np.maximum(rest, _RIDGE / _WINDOW)) if i == j else rest / spread[j, j]
            )
    whitened = []
    for place in apart:
        scaled = np.empty_like(place)
        for i in range(3):
            rest = place[i] - sum(spread[i, k] * scaled[k] for k in range(i))
            scaled[i] = rest / spread[i, i]
        whitened.append(scaled)
    return whitened
