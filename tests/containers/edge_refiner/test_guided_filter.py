"""Each window gets the coefficients a solver would find, as far as they explain the mask."""

from __future__ import annotations

import numpy as np
import pytest

from containers.edge_refiner.box_filter import Plane
from containers.edge_refiner.guided_filter import LinearModel, fit_linear_model

RIDGE = 1e-4


def random_colours(height: int, width: int) -> Plane:
    return np.random.default_rng(3).random((height, width, 3), dtype=np.float32)


def fitted(colours: Plane, mask: Plane, *, radius: int = 4, mask_pixel: int = 2) -> LinearModel:
    return fit_linear_model(
        colours, mask, radius=radius, mask_pixel=mask_pixel, regularisation=RIDGE
    )


def applied(model: LinearModel, colours: Plane) -> Plane:
    alpha: Plane = (model.slope * colours).sum(axis=-1) + model.offset
    return alpha


@pytest.mark.parametrize("mix", [(1, 0, 0), (0, 0, 1), (0.5, 0.25, 0.25), (0.9, -0.6, 0.3)])
def test_a_mask_that_is_a_mix_of_the_colours_is_found_again(mix: tuple[float, ...]) -> None:
    colours = random_colours(40, 30)
    mask = (colours @ np.array(mix)).astype(np.float32)

    np.testing.assert_allclose(applied(fitted(colours, mask), colours), mask, atol=0.01)


def test_a_window_of_the_whole_picture_gives_the_solvers_answer() -> None:
    colours = random_colours(20, 20)
    noise = np.random.default_rng(4).random((20, 20), dtype=np.float32)
    mask = (0.5 * colours[..., 0] + 0.3 * colours[..., 1] + 0.05 * noise).astype(np.float32)

    slope = fitted(colours, mask, radius=50, mask_pixel=50).slope

    deviations = colours.reshape(-1, 3).astype(np.float64) - colours.mean(axis=(0, 1))
    covariance = deviations.T @ deviations / 400 + RIDGE * np.eye(3)
    expected = np.linalg.solve(covariance, deviations.T @ mask.ravel() / 400)
    direction = slope[10, 10] / np.linalg.norm(slope[10, 10])
    np.testing.assert_allclose(direction, expected / np.linalg.norm(expected), atol=1e-4)


@pytest.mark.parametrize("grey", [0.0, 0.3, 1.0])
def test_colours_that_say_nothing_leave_the_mask(grey: float) -> None:
    mask = np.random.default_rng(5).random((30, 30), dtype=np.float32)

    model = fitted(np.full((30, 30, 3), grey, dtype=np.float32), mask)

    np.testing.assert_allclose(model.slope, 0, atol=1e-3)
    np.testing.assert_allclose(model.offset, mask, atol=1e-3)


def test_grain_that_explains_the_mask_by_chance_leaves_the_mask() -> None:
    mask = np.zeros((40, 40), dtype=np.float32)
    mask[:, 20:] = 1

    model = fitted(random_colours(40, 40), mask, radius=5)

    np.testing.assert_allclose(applied(model, random_colours(40, 40)), mask, atol=1e-3)


def test_a_grey_photo_is_fitted_as_well_as_a_coloured_one() -> None:
    mask = np.clip(np.arange(-20, 20, dtype=np.float32) / 10 + 0.5, 0, 1) * np.ones((40, 1))
    grey = np.repeat(mask.astype(np.float32)[..., None], 3, axis=2) * np.float32(0.8)

    alpha = applied(fitted(grey, mask.astype(np.float32)), grey)

    np.testing.assert_allclose(alpha, mask, atol=0.005)


def test_where_the_mask_is_flat_it_is_kept() -> None:
    mask = np.full((25, 25), 0.4, dtype=np.float32)

    model = fitted(random_colours(25, 25), mask)

    np.testing.assert_allclose(model.slope, 0, atol=1e-4)
    np.testing.assert_allclose(model.offset, mask, atol=1e-4)
