"""Sampling single pixels gives the same values as enlarging the whole plane."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from containers.edge_refiner.box_filter import Plane
from containers.edge_refiner.resampling import sample

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
def test_sampled_pixels_are_those_of_the_enlarged_plane(
    small: tuple[int, int], large: tuple[int, int]
) -> None:
    colours = plane(*small, 3)
    rows, columns = (places.ravel() for places in np.indices(large))

    sampled = sample(colours, rows, columns, large)

    planes = [Image.fromarray(colours[..., c]) for c in range(3)]
    size = large[1], large[0]
    enlarged = [np.asarray(each.resize(size, Image.Resampling.BILINEAR)) for each in planes]
    np.testing.assert_allclose(sampled.reshape(*large, 3), np.dstack(enlarged), atol=1e-5)


def test_sampling_no_pixels_returns_an_empty_array() -> None:
    nothing = np.array([], dtype=np.intp)

    assert sample(plane(4, 4, 6), nothing, nothing, (8, 8)).shape == (0, 6)
