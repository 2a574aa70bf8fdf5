"""Each window gets the function a solver would find, as far as it explains the mask."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from containers.edge_refiner.box_filter import Plane
from containers.edge_refiner.guided_filter import (
    enlarging_model,
    fit_linear_model,
)
from containers.edge_refiner.linear_model import in_planes
from pipeline.photo.pixels import Pixels
from tests.containers.edge_refiner import NIGHT, SAND, composite, disk, grainy

BLUR = 1.5


def random_colours(height: int, width: int, seed: int = 3) -> Pixels:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def blurred(alpha: Plane, blur: float = BLUR) -> Plane:
    levels = Image.fromarray((alpha * 255).round().astype(np.uint8))
    return np.asarray(levels.filter(ImageFilter.GaussianBlur(blur)), dtype=np.float32) / np.float32(
        255
    )


def followed(picture: Pixels, mask: Plane, *, radius: int = 4, grain: float = 0) -> Plane:
    model = fit_linear_model(picture, mask, blur=BLUR, radius=radius, grain=grain)
    return model.applied(picture, mask, lambda plane: plane.copy())


@pytest.mark.parametrize("mix", [(1, 0, 0), (0, 0, 1), (0.5, 0.25, 0.25)])
def test_what_the_mask_blurred_away_is_found_again(mix: tuple[float, ...]) -> None:
    picture = random_colours(60, 50)
    alpha = (picture / 255 @ np.array(mix)).astype(np.float32)

    found = followed(picture, blurred(alpha))

    before = np.abs(blurred(alpha) - alpha).mean()
    assert np.abs(found - alpha).mean() < 0.15 * before


def test_a_window_of_the_whole_picture_gives_the_solvers_answer() -> None:
    picture = random_colours(24, 24)
    colours = in_planes(picture)
    alpha = (0.6 * colours[0] + 0.3 * colours[1]).astype(np.float32)

    model = enlarging_model(picture, alpha)

    inner = (slice(4, -4), slice(4, -4))
    np.testing.assert_allclose(model.slope[0][inner], 0.6, atol=0.02)
    np.testing.assert_allclose(model.slope[1][inner], 0.3, atol=0.02)
    np.testing.assert_allclose(model.slope[2][inner], 0.0, atol=0.02)


@pytest.mark.parametrize("grey", [0, 77, 255])
def test_colours_that_say_nothing_leave_the_mask(grey: int) -> None:
    mask = np.random.default_rng(5).random((30, 30), dtype=np.float32)
    picture = np.full((30, 30, 3), grey, dtype=np.uint8)

    np.testing.assert_allclose(followed(picture, mask), mask, atol=1e-3)


def test_a_pattern_that_explains_the_mask_by_chance_hardly_moves_it() -> None:
    mask = np.zeros((60, 60), dtype=np.float32)
    mask[:, 30:] = 1
    picture = random_colours(60, 60)

    moved = np.abs(followed(picture, blurred(mask), radius=6) - blurred(mask))

    assert moved.mean() < 0.02


def test_a_grey_photo_is_fitted_as_well_as_a_coloured_one() -> None:
    alpha = disk(80)
    coloured = composite((200, 60, 60), (60, 60, 60), alpha)
    grey = composite((200, 200, 200), (60, 60, 60), alpha)

    errors = [
        np.abs(followed(picture, blurred(alpha)) - alpha).mean() for picture in (grey, coloured)
    ]

    assert errors[0] < 1.2 * errors[1]


def test_where_the_mask_is_flat_it_is_kept() -> None:
    picture = random_colours(25, 25)
    mask = np.full((25, 25), 0.4, dtype=np.float32)

    np.testing.assert_allclose(followed(picture, mask), mask, atol=1e-3)


def test_the_more_grain_the_less_of_it_gets_into_the_matte() -> None:
    alpha = disk(120, softness=24)
    picture = grainy(composite(SAND, NIGHT, alpha), 16)

    blind, told = (followed(picture, blurred(alpha), grain=grain) for grain in (0, 16 / 255))

    assert np.abs(told - alpha).mean() < 0.7 * np.abs(blind - alpha).mean()
