"""Colour has its say where it can tell subject from background, and the matte where it cannot."""

from __future__ import annotations

import numpy as np
import pytest

from containers.edge_refiner.box_filter import Plane
from containers.edge_refiner.layers import Layers, Palette
from containers.edge_refiner.opinion import Opinion
from tests.containers.edge_refiner import NIGHT, SAND, composite

SIDE = 16
TRUE: Plane = np.random.default_rng(0).random((SIDE, SIDE), dtype=np.float32)


def plain(colour: tuple[int, int, int], *, scatter: float = 0) -> Palette:
    """A layer of one colour whose channels each vary by `scatter` (0…1, standard deviation)."""
    mean = np.array(colour, dtype=np.float32)[:, None, None] / np.float32(255)
    spread = np.zeros((6, SIDE, SIDE), dtype=np.float32)
    spread[[0, 3, 5]] = scatter**2
    return Palette(np.broadcast_to(mean, (3, SIDE, SIDE)).copy(), spread)


def told_apart(layers: Layers, so_far: Plane, *, deviation: float) -> Plane:
    picture = composite(SAND, NIGHT, TRUE)
    model = Opinion.of(layers, so_far).weighed(np.full_like(so_far, deviation**2))
    return model.applied(picture, so_far, lambda plane: plane.copy())


@pytest.mark.parametrize("guess", [0.2, 0.5, 0.9])
def test_two_plain_colours_give_the_true_alpha_whatever_was_thought_before(guess: float) -> None:
    so_far = np.full_like(TRUE, guess)

    found = told_apart(Layers(plain(SAND), plain(NIGHT)), so_far, deviation=0.3)

    np.testing.assert_allclose(found, TRUE, atol=0.02)


def test_like_colours_leave_the_matte_as_it_was() -> None:
    so_far = np.full_like(TRUE, 0.4)

    found = told_apart(Layers(plain(SAND), plain(SAND)), so_far, deviation=0.3)

    np.testing.assert_allclose(found, so_far, atol=1e-3)


def test_the_more_colours_scatter_the_less_they_say() -> None:
    so_far = np.full_like(TRUE, 0.5)

    moved = [
        np.abs(
            told_apart(
                Layers(plain(SAND, scatter=each), plain(NIGHT, scatter=each)),
                so_far,
                deviation=0.1,
            )
            - so_far
        ).mean()
        for each in (0.0, 0.2, 0.6)
    ]

    assert moved == sorted(moved, reverse=True)
    assert moved[2] < moved[0] / 4


def test_a_matte_that_is_sure_of_itself_is_believed() -> None:
    so_far = np.full_like(TRUE, 0.5)
    layers = Layers(plain(SAND, scatter=0.1), plain(NIGHT, scatter=0.1))

    sure, unsure = (
        np.abs(told_apart(layers, so_far, deviation=each) - so_far).mean() for each in (0.02, 0.3)
    )

    assert sure < unsure / 4
