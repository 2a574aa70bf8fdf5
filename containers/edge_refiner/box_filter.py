"""Means over square windows, by adding shifted copies: few passes, no running sum that drifts."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]


def box_mean(planes: Plane, radius: int) -> Plane:
    """Mean of each (2·radius+1)² window of H×W or C×H×W planes, cut off at the border."""
    height, width = planes.shape[-2:]
    down, across = min(radius, height - 1), min(radius, width - 1)
    means = np.empty(planes.shape, dtype=np.float32)
    flat, flat_means = (each.reshape(-1, height, width) for each in (planes, means))
    padded = np.zeros((height + 2 * down, width + 2 * across), np.float32)
    # One at a time: what a plane needs stays in the processor's cache.
    for plane, mean in zip(flat, flat_means, strict=True):
        padded[down : down + height, across : across + width] = plane
        sums = _window_sums(_window_sums(padded, 2 * down + 1, axis=0), 2 * across + 1, axis=1)
        sums *= _shares(height, down)[:, None]
        np.multiply(sums, _shares(width, across), out=mean)
    return means


def _window_sums(plane: Plane, length: int, *, axis: int) -> Plane:
    """Sums of `length` (odd) neighbours along an axis, made of windows of 1, 2, 4, 8 and so on."""
    count = plane.shape[axis] - length + 1
    total = _cut(plane, 0, count, axis)  # windows are odd: a 1 is always among their powers
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
def _shares(length: int, radius: int) -> Plane:
    """1 / how many of the 2·radius+1 places around each of `length` are inside."""
    places = np.arange(length)
    first, last = np.maximum(places - radius, 0), np.minimum(places + radius, length - 1)
    return (1 / (last - first + 1)).astype(np.float32)
