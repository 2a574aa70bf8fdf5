"""The matting equations get the solution of a dense solver, and known pixels keep their alpha."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from containers.edge_refiner.box_filter import Plane
from containers.edge_refiner.linear_model import in_planes
from containers.edge_refiner.matting_laplacian import solve_matte
from tests.containers.edge_refiner import NIGHT, SAND, composite, disk

Dense = npt.NDArray[np.float64]
RIDGE = 1e-6


def random_image(side: int) -> Plane:
    return np.random.default_rng(1).random((3, side, side), dtype=np.float32)


def dense_laplacian(colours: Plane) -> Dense:
    """Build the matrix window by window, as in the paper."""
    side = colours.shape[1]
    total = np.zeros((side * side, side * side))
    for row in range(side - 2):
        for column in range(side - 2):
            rows, columns = np.mgrid[row : row + 3, column : column + 3]
            places = (rows * side + columns).ravel()
            seen = colours[:, rows.ravel(), columns.ravel()].T.astype(np.float64)
            centred = seen - seen.mean(axis=0)
            covariance = centred.T @ centred / 9 + RIDGE / 9 * np.eye(3)
            likeness = (1 + centred @ np.linalg.solve(covariance, centred.T)) / 9
            total[np.ix_(places, places)] += np.eye(9) - likeness
    return total


@pytest.mark.parametrize("pull", [0.1, 1.0])
def test_the_solution_is_that_of_a_dense_solver(pull: float) -> None:
    colours = random_image(9)
    prior = colours[0][::-1].copy()
    matrix = dense_laplacian(colours) + pull * np.eye(81)
    expected = np.linalg.solve(matrix, pull * prior.ravel().astype(np.float64)).reshape(9, 9)

    found = solve_matte(colours, prior, np.full((9, 9), pull, dtype=np.float32))

    np.testing.assert_allclose(found, np.clip(expected, 0, 1), atol=6e-3)


def test_pixels_of_infinite_weight_keep_their_prior() -> None:
    prior = np.random.default_rng(2).random((12, 12), dtype=np.float32)
    weight = np.full((12, 12), 0.01, dtype=np.float32)
    weight[3:6] = np.inf

    found = solve_matte(random_image(12), prior, weight)

    np.testing.assert_array_equal(found[3:6], prior[3:6])
    assert np.abs(found - prior).max() > 0.01


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (9, 2)])
def test_an_image_smaller_than_a_window_keeps_its_prior(shape: tuple[int, int]) -> None:
    prior = np.full(shape, 0.3, dtype=np.float32)

    found = solve_matte(np.zeros((3, *shape), np.float32), prior, np.ones(shape, np.float32))

    np.testing.assert_array_equal(found, prior)


def test_a_plain_image_leaves_a_constant_prior_unchanged() -> None:
    prior = np.full((20, 20), 0.3, dtype=np.float32)

    found = solve_matte(np.full((3, 20, 20), 0.5, np.float32), prior, np.ones_like(prior))

    np.testing.assert_allclose(found, 0.3, atol=1e-5)


def test_two_colours_are_separated_far_from_known_pixels() -> None:
    true = disk(90, softness=20)
    distance = np.hypot(*(np.mgrid[:90, :90] - 44.5))
    weight = np.where(np.abs(distance - 27) < 12, np.float32(1e-4), np.float32(np.inf))
    prior = np.where(np.isfinite(weight), np.float32(0.5), true).astype(np.float32)

    found = solve_matte(in_planes(composite(SAND, NIGHT, true)), prior, weight)

    assert np.abs(found - true).mean() < 0.45 * np.abs(prior - true).mean()
