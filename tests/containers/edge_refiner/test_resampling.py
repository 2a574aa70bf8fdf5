"""Strips and single pixels of an enlarged plane are those of the whole."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from containers.edge_refiner.box_filter import Plane
from containers.edge_refiner.resampling import Strip, each_strip, sample, strips

SHAPES = [
    ((5, 7), (40, 61)),
    ((5, 7), (5, 7)),
    ((1, 1), (9, 4)),
    ((3, 2), (3, 50)),
    ((9, 1), (9, 1)),
]


def plane(*shape: int) -> Plane:
    return np.random.default_rng(2).random(shape, dtype=np.float32)


@pytest.mark.parametrize(("small", "large"), SHAPES)
def test_a_sampled_pixel_is_the_enlarged_planes(
    small: tuple[int, int], large: tuple[int, int]
) -> None:
    colours = plane(*small, 3)
    rows, columns = (places.ravel() for places in np.indices(large))

    sampled = sample(colours, rows, columns, large)

    planes = [Image.fromarray(colours[..., c]) for c in range(3)]
    size = large[1], large[0]
    enlarged = [np.asarray(each.resize(size, Image.Resampling.BILINEAR)) for each in planes]
    np.testing.assert_allclose(sampled.reshape(*large, 3), np.dstack(enlarged), atol=1e-5)


def test_no_pixel_at_all_can_be_sampled() -> None:
    nothing = np.array([], dtype=np.intp)

    assert sample(plane(4, 4, 6), nothing, nothing, (8, 8)).shape == (0, 6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9000), (9000, 1), (700, 901)])
def test_every_row_is_in_one_strip(shape: tuple[int, int]) -> None:
    visits = np.zeros(shape[0], dtype=int)

    def visit(strip: Strip) -> None:
        visits[strip.rows] += 1

    each_strip(shape, visit)

    assert (visits == 1).all()
    assert sum(strip.bottom - strip.top for strip in strips(shape)) == shape[0]


def test_a_strip_that_fails_fails_the_whole() -> None:
    def fail(strip: Strip) -> None:
        if strip.top:
            raise MemoryError

    with pytest.raises(MemoryError):
        each_strip((4000, 1000), fail)
