"""Colour decides alpha where it separates the layers; elsewhere the matte so far is kept."""

from __future__ import annotations

import numpy as np
import pytest

from containers.edge_refiner.bayesian_matting import (
    ColourEstimate,
    matte_variance,
    plan_reductions,
)
from containers.edge_refiner.box_filter import Plane
from containers.edge_refiner.layers import Layers, Palette
from tests.containers.edge_refiner import NIGHT, SAND, composite, disk

SIDE = 16
TRUE: Plane = np.random.default_rng(0).random((SIDE, SIDE), dtype=np.float32)


def plain(colour: tuple[int, int, int], *, scatter: float = 0) -> Palette:
    """A layer of one colour whose channels each vary by `scatter` (0…1, standard deviation)."""
    mean = np.array(colour, dtype=np.float32)[:, None, None] / np.float32(255)
    covariance = np.zeros((6, SIDE, SIDE), dtype=np.float32)
    covariance[[0, 3, 5]] = scatter**2
    return Palette(np.broadcast_to(mean, (3, SIDE, SIDE)).copy(), covariance)


def combined(layers: Layers, so_far: Plane, *, deviation: float) -> Plane:
    """Combine the estimate from colour with a matte whose standard deviation is `deviation`."""
    image = composite(SAND, NIGHT, TRUE)
    model = ColourEstimate.of(layers, so_far).combined(np.full_like(so_far, deviation**2))
    return model.applied(image, so_far, lambda plane: plane.copy())


@pytest.mark.parametrize("guess", [0.2, 0.5, 0.9])
def test_two_plain_colours_give_the_true_alpha_from_any_first_guess(guess: float) -> None:
    so_far = np.full_like(TRUE, guess)

    found = combined(Layers(plain(SAND), plain(NIGHT)), so_far, deviation=0.3)

    np.testing.assert_allclose(found, TRUE, atol=0.02)


def test_equal_colours_leave_the_matte_unchanged() -> None:
    so_far = np.full_like(TRUE, 0.4)

    found = combined(Layers(plain(SAND), plain(SAND)), so_far, deviation=0.3)

    np.testing.assert_allclose(found, so_far, atol=1e-3)


def test_the_more_colours_scatter_the_less_they_change_the_matte() -> None:
    so_far = np.full_like(TRUE, 0.5)

    changes = [
        np.abs(
            combined(
                Layers(plain(SAND, scatter=each), plain(NIGHT, scatter=each)),
                so_far,
                deviation=0.1,
            )
            - so_far
        ).mean()
        for each in (0.0, 0.2, 0.6)
    ]

    assert changes == sorted(changes, reverse=True)
    assert changes[2] < changes[0] / 4


def test_a_certain_matte_changes_less_than_an_uncertain_one() -> None:
    so_far = np.full_like(TRUE, 0.5)
    layers = Layers(plain(SAND, scatter=0.1), plain(NIGHT, scatter=0.1))

    certain, uncertain = (
        np.abs(combined(layers, so_far, deviation=each) - so_far).mean() for each in (0.02, 0.3)
    )

    assert certain < uncertain / 4


def test_a_flat_matte_is_more_certain_than_a_steep_one() -> None:
    variance = matte_variance(disk(80, softness=4), 2, freedom=1)

    edge, middle = variance[40, 40 - 24], variance[40, 40]
    np.testing.assert_allclose(middle, 0.02**2, rtol=1e-3)
    assert edge > 50 * middle


@pytest.mark.parametrize(
    ("mask_pixel", "finest", "reductions"),
    [
        (1.0, 1, [1, 1]),
        (1.9, 1, [1, 1]),
        (3.75, 1, [2, 1, 1]),
        (3.75, 2, [2, 2]),
        (12.5, 2, [8, 4, 4]),
        (12.5, 8, [8, 8]),
        (1.0, 4, [4, 4]),
    ],
)
def test_copies_go_from_coarse_to_fine_and_the_finest_is_repeated(
    mask_pixel: float, finest: int, reductions: list[int]
) -> None:
    assert plan_reductions(mask_pixel, finest=finest) == reductions
