"""Compute means over square windows, from sums of shifted copies.

A running sum would need fewer additions, but its rounding error grows along the row.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]
Box = tuple[slice, slice]  # rows and columns, with start and stop


def box_mean(planes: Plane, radius: int, inside: Box | None = None) -> Plane:
    """Return the mean of the (2·radius+1)² window around each pixel of H×W or C×H×W planes.

    Windows are cut off at the border, and their means are those of the pixels inside. Only the
    rows and columns `inside` are returned: the same means, in less time.
    """
    height, width = planes.shape[-2:]
    down, across = min(radius, height - 1), min(radius, width - 1)
    rows, columns = inside or (slice(0, height), slice(0, width))
    around, place = _windows(rows, down, height), _windows(columns, across, width)
    counts = _inverse_counts(height, down)[rows, None], _inverse_counts(width, across)[columns]
    flat = planes.reshape(-1, height, width)
    means = np.empty(
        (len(flat), *np.broadcast_shapes(*(each.shape for each in counts))), np.float32
    )
    padded = np.zeros((around.length, place.length), np.float32)
    # One plane at a time, so that its intermediate sums stay in the processor's cache.
    for plane, mean in zip(flat, means, strict=True):
        padded[around.filled, place.filled] = plane[around.known, place.known]
        sums = _window_sums(_window_sums(padded, 2 * down + 1, axis=0), 2 * across + 1, axis=1)
        sums *= counts[0]
        np.multiply(sums, counts[1], out=mean)
    return means.reshape(*planes.shape[:-2], *means.shape[1:])


class _Windows(NamedTuple):
    """Positions that some windows hold along one axis: how many, and which are in the plane.

    `known` are these positions in the plane, `filled` the same ones in the padded plane.
    """

    length: int
    known: slice
    filled: slice


def _windows(inside: slice, radius: int, length: int) -> _Windows:
    first, last = inside.start - radius, inside.stop + radius
    known = slice(max(first, 0), min(last, length))
    return _Windows(last - first, known, slice(known.start - first, known.stop - first))


def _window_sums(plane: Plane, length: int, *, axis: int) -> Plane:
    """Sum `length` (odd) neighbours along an axis, from sums of 1, 2, 4, 8 and so on."""
    count = plane.shape[axis] - length + 1
    total = _cut(plane, 0, count, axis)  # an odd length always includes the sum of 1
    done, power, doubled = 1, 2, plane
    while power <= length:
        size = doubled.shape[axis] - power // 2
        doubled = _cut(doubled, 0, size, axis) + _cut(doubled, power // 2, size, axis)
        if length & power:
            total = total + _cut(doubled, done, count, axis)
            done += power
        power *= 2
    return total


def _cut(plane: Plane, start: int, count: int, axis: int) -> Plane:
    return plane[start : start + count] if axis == 0 else plane[:, start : start + count]


@lru_cache(maxsize=64)
def _inverse_counts(length: int, radius: int) -> Plane:
    """Return 1 ÷ the number of pixels in the window around each of `length` positions."""
    places = np.arange(length)
    first, last = np.maximum(places - radius, 0), np.minimum(places + radius, length - 1)
    return (1 / (last - first + 1)).astype(np.float32)
