"""A crop leaves its margin, and a translucent background stays translucent."""

from __future__ import annotations

import numpy as np
import pytest

from tests.containers.edge_refiner import SAND
from tests.containers.edge_refiner.test_pictures import TEAL, block, rendered


@pytest.mark.parametrize(
    ("margin", "expected"), [(0, (5, 10)), (10, (7, 11)), (50, (15, 15)), (100, (22, 20))]
)
def test_a_margin_is_a_percentage_of_the_subjects_longer_side(
    margin: int, expected: tuple[int, int]
) -> None:
    alpha = block(50, 40, slice(7, 12), slice(30, 40))

    picture = rendered(alpha, crop=True, margin=margin)["cutout"]

    assert picture.pixels.shape[:2] == expected


def test_a_translucent_background_keeps_its_opacity() -> None:
    alpha = block(4, 6, slice(0, 4), slice(0, 2))
    alpha[:, 2] = 0.5

    cutout = rendered(alpha, background="#00808140")["cutout"].pixels

    assert (cutout[:, :2] == (*SAND, 255)).all()
    assert (cutout[:, 3:] == (*TEAL, 64)).all()
    opacity = 0.5 + 0.5 * 64 / 255
    share = 0.5 / opacity
    mixed = share * np.array(SAND) + (1 - share) * np.array(TEAL)
    np.testing.assert_allclose(cutout[:, 2, :3], np.broadcast_to(mixed, (4, 3)), atol=2)
    np.testing.assert_allclose(cutout[:, 2, 3], opacity * 255, atol=1)


def test_a_transparent_background_leaves_rgb_zero() -> None:
    cutout = rendered(block(3, 6, slice(0, 3), slice(0, 3)), background="#00808100")[
        "cutout"
    ].pixels

    assert not cutout[:, 3:].any()
