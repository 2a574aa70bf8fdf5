"""A box mean is the mean of each window, for every size of plane and window."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from containers.edge_refiner.box_filter import Plane, box_mean

levels = st.floats(0, 1, width=32)
planes = arrays(np.float32, array_shapes(min_dims=2, max_dims=3, max_side=7), elements=levels)


def mean_of_window(plane: Plane, row: int, column: int, radius: int) -> npt.NDArray[np.float64]:
    rows = slice(max(row - radius, 0), row + radius + 1)
    columns = slice(max(column - radius, 0), column + radius + 1)
    mean: npt.NDArray[np.float64] = plane[..., rows, columns].mean(axis=(-2, -1), dtype=np.float64)
    return mean


@settings(max_examples=60)
@given(plane=planes, radius=st.integers(0, 9))
def test_each_value_is_the_mean_of_its_window(plane: Plane, radius: int) -> None:
    means = box_mean(plane, radius)

    assert means.dtype == np.float32
    assert means.shape == plane.shape
    for row, column in np.ndindex(plane.shape[-2:]):
        expected = mean_of_window(plane, row, column, radius)
        np.testing.assert_allclose(means[..., row, column], expected, atol=1e-6)


@settings(max_examples=60)
@given(plane=planes, radius=st.integers(0, 9), sides=st.tuples(*4 * [st.floats(0, 1)]))
def test_means_inside_a_box_are_the_same_bits(
    plane: Plane, radius: int, sides: tuple[float, float, float, float]
) -> None:
    rows, columns = (
        slice(round(min(pair) * (length - 1)), round(max(pair) * (length - 1)) + 1)
        for length, pair in zip(plane.shape[-2:], (sides[:2], sides[2:]), strict=True)
    )

    means = box_mean(plane, radius, (rows, columns))

    np.testing.assert_array_equal(means, box_mean(plane, radius)[..., rows, columns], strict=True)


def test_a_window_is_cut_off_at_the_border() -> None:
    row = np.array([[0, 3, 6, 9]], dtype=np.float32)

    assert box_mean(row, 1).tolist() == [[1.5, 3.0, 6.0, 7.5]]


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (3, 4), (7, 7)])
def test_a_window_wider_than_the_plane_gives_the_mean_of_the_plane(shape: tuple[int, int]) -> None:
    plane = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)

    np.testing.assert_allclose(box_mean(plane, 100), np.full(shape, plane.mean()))


def test_a_window_of_one_pixel_changes_nothing() -> None:
    plane = np.linspace(0, 1, 35, dtype=np.float32).reshape(5, 7)

    np.testing.assert_allclose(box_mean(plane, 0), plane, atol=1e-7)


def test_rounding_errors_do_not_grow_along_a_large_plane() -> None:
    plane = np.full((5, 300_000), 0.7, dtype=np.float32)

    np.testing.assert_allclose(box_mean(plane, 1), plane, atol=1e-6)
