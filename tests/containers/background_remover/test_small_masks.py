"""A candidate's PNG maps to its photo exactly, and comes back to the decoder as it left it."""

from __future__ import annotations

import base64
import re

import numpy as np
import pytest

from containers.background_remover.canvas import place
from containers.background_remover.network import Tensor
from containers.background_remover.small_masks import Grid, from_png, to_png
from pipeline.contracts.selection import BOUNDARY_LEVEL, LEVELS_PER_LOGIT
from pipeline.photo.encoding import encode
from tests.pictures import unpng

CANVAS = (684, 1024)
SHAPES = [
    (684, 1024),
    (3000, 4000),
    (2000, 3000),
    (1080, 1920),
    (4000, 3000),
    (3000, 2000),
    (500, 500),
    (7, 900),
]


def grid_of(shape: tuple[int, int]) -> Grid:
    return Grid(place(shape, CANVAS), 256)


def ramp_of(grid: Grid, *, axis: int) -> Tensor:
    """A plane with x or y of the upright photo (0…1) at each pixel's centre, beyond it too."""
    photo = grid.placement.photo
    plane = np.empty((256, 256), np.float32)
    corners = [grid.placement.locate(x, y) for x, y in ((0, 0), (photo[1], 0), (0, photo[0]))]
    origin, right, down = (np.array(corner) / 4 for corner in corners)
    columns, rows = np.meshgrid(np.arange(256) + 0.5, np.arange(256) + 0.5)
    way = right - origin if axis == 1 else down - origin
    plane[...] = ((columns - origin[0]) * way[0] + (rows - origin[1]) * way[1]) / (way @ way)
    return plane


@pytest.mark.parametrize("shape", SHAPES)
def test_the_photo_fills_the_stated_rectangle_upright(shape: tuple[int, int]) -> None:
    grid = grid_of(shape)
    told = grid.described
    for axis, begin, length in (
        (1, told.photo.x, told.photo.width),
        (0, told.photo.y, told.photo.height),
    ):
        part = grid.lift(ramp_of(grid, axis=axis))
        assert part.shape == (told.height, told.width)
        centres = np.arange(part.shape[axis]) + 0.5
        expected = (centres - begin) / length
        actual = part.mean(axis=1 - axis)
        np.testing.assert_allclose(actual, expected, atol=1e-4)
    assert told.photo.x + told.photo.width == pytest.approx(told.width, abs=1)
    assert told.photo.y + told.photo.height == pytest.approx(told.height, abs=1)


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_lifted_is_laid_back_where_it_was(shape: tuple[int, int]) -> None:
    grid = grid_of(shape)
    plane = np.random.default_rng(1).normal(size=(256, 256)).astype(np.float32)

    again = grid.lay(grid.lift(plane))

    own = again != -BOUNDARY_LEVEL / LEVELS_PER_LOGIT
    np.testing.assert_array_equal(again[own], plane[own])
    assert own.sum() == grid.described.width * grid.described.height


def test_levels_are_linear_in_logits_around_the_boundary() -> None:
    logits = np.array([[-40, -32, -1, -0.25, 0, 0.25, 1, 31.75, 40]], np.float32)

    levels = unpng(base64.b64decode(to_png(logits)))

    assert levels.tolist() == [[0, 0, 124, 127, 128, 129, 132, 255, 255]]


def test_a_png_comes_back_as_the_logits_it_was_made_of() -> None:
    grid = grid_of((3000, 4000))
    told = grid.described
    steps = np.arange(told.width * told.height, dtype=np.uint32) % 256
    logits: Tensor = (steps.reshape(told.height, told.width).astype(np.float32) - 128) / np.float32(
        4
    )

    again = from_png(to_png(logits), told)

    assert again.dtype == np.float32
    np.testing.assert_array_equal(again, logits)


def test_a_png_of_another_size_is_refused() -> None:
    other = base64.b64encode(encode(np.zeros((9, 9), np.uint8), picture_format="png")).decode()

    with pytest.raises(ValueError, match=re.escape("of 228 × 171 pixels")):
        from_png(other, grid_of((600, 800)).described)
