"""Planes between the photo's resolution and a small working copy, a strip of rows at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from containers.edge_refiner.box_filter import Plane
from pipeline.photo.pixels import Pixels

_STRIP_PIXELS: Final = 250_000

Indices = npt.NDArray[np.intp]
AnyPlane = TypeVar("AnyPlane", Pixels, Plane)


class Strip(NamedTuple):
    """Rows `top`…`bottom` of a picture."""

    top: int
    bottom: int

    @property
    def rows(self) -> slice:
        return slice(self.top, self.bottom)


def strips(shape: tuple[int, ...]) -> Iterator[Strip]:
    """Cut an H×W picture into strips that fit into a processor's cache."""
    height, width = shape[:2]
    step = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, step):
        yield Strip(top, min(top + step, height))


def each_strip(shape: tuple[int, ...], work: Callable[[Strip], Any]) -> None:
    """Do `work` for every strip of an H×W picture, as many at a time as there are processors."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for _ in threads.map(work, strips(shape)):
            pass


def small_size(shape: tuple[int, ...], longest: int) -> tuple[int, int]:
    """(width, height) of a copy whose longer side is at most `longest`; never enlarged."""
    height, width = shape[:2]
    scale = min(1.0, longest / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def shrink(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """A copy of `pixels` at (width, height), averaged so that nothing aliases."""
    image = Image.fromarray(pixels)
    return np.asarray(image.resize(size, Image.Resampling.BOX, reducing_gap=2.0))


def reduced(plane: AnyPlane, ratio: int) -> AnyPlane:
    """An H×W or H×W×3 plane `ratio` times smaller, each pixel the mean of those it stands for."""
    return plane if ratio == 1 else np.asarray(Image.fromarray(plane).reduce(ratio))


def sample(plane: Plane, rows: Indices, columns: Indices, shape: tuple[int, int]) -> Plane:
    """An h×w×C plane enlarged to H×W = `shape`, at n of its pixels only: n×C."""
    above, below, down = _neighbours(rows, plane.shape[0], shape[0])
    left, right, across = _neighbours(columns, plane.shape[1], shape[1])
    upper = plane[above, left] + across * (plane[above, right] - plane[above, left])
    lower = plane[below, left] + across * (plane[below, right] - plane[below, left])
    sampled: Plane = upper + down * (lower - upper)
    return sampled


def _neighbours(positions: Indices, small: int, large: int) -> tuple[Indices, Indices, Plane]:
    """The small pixels either side of each large one, and the share of the second, n×1."""
    places = np.clip((positions + 0.5) * (small / large) - 0.5, 0, small - 1)
    first = places.astype(np.intp)
    share = (places - first).astype(np.float32)[:, None]
    return first, np.minimum(first + 1, small - 1), share
