"""The filter restores what the mask blurred, and keeps the mask where colours explain little."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from containers.edge_refiner.box_filter import Plane
from containers.edge_refiner.guided_filter import (
    Scale,
    enlarging_model,
    estimate_noise,
    fit_linear_model,
)
from containers.edge_refiner.linear_model import in_planes
from containers.edge_refiner.tiling import tiles
from pipeline.photo.pixels import Pixels
from tests.containers.edge_refiner import NIGHT, SAND, composite, disk, noisy

BLUR = 1.5


def random_colours(height: int, width: int, seed: int = 3) -> Pixels:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def blurred(alpha: Plane, blur: float = BLUR) -> Plane:
    levels = Image.fromarray((alpha * 255).round().astype(np.uint8))
    return np.asarray(levels.filter(ImageFilter.GaussianBlur(blur)), dtype=np.float32) / np.float32(
        255
    )


def followed(image: Pixels, mask: Plane, *, radius: int = 4, noise: float = 0) -> Plane:
    model = fit_linear_model(image, mask, blur=BLUR, radius=radius, noise=noise)
    return model.applied(image, mask, lambda plane: plane.copy())


@pytest.mark.parametrize("mix", [(1, 0, 0), (0, 0, 1), (0.5, 0.25, 0.25)])
def test_detail_that_the_mask_blurred_is_restored(mix: tuple[float, ...]) -> None:
    image = random_colours(60, 50)
    alpha = (image / 255 @ np.array(mix)).astype(np.float32)

    found = followed(image, blurred(alpha))

    before = np.abs(blurred(alpha) - alpha).mean()
    assert np.abs(found - alpha).mean() < 0.15 * before


def test_a_linear_function_of_colour_is_found() -> None:
    image = random_colours(24, 24)
    colours = in_planes(image)
    alpha = (0.6 * colours[0] + 0.3 * colours[1]).astype(np.float32)

    model = enlarging_model(image, alpha)

    inner = (slice(4, -4), slice(4, -4))
    np.testing.assert_allclose(model.slope[0][inner], 0.6, atol=0.02)
    np.testing.assert_allclose(model.slope[1][inner], 0.3, atol=0.02)
    np.testing.assert_allclose(model.slope[2][inner], 0.0, atol=0.02)


@pytest.mark.parametrize("grey", [0, 77, 255])
def test_a_plain_image_leaves_the_mask_unchanged(grey: int) -> None:
    mask = np.random.default_rng(5).random((30, 30), dtype=np.float32)
    image = np.full((30, 30, 3), grey, dtype=np.uint8)

    np.testing.assert_allclose(followed(image, mask), mask, atol=1e-3)


def test_a_pattern_that_explains_the_mask_by_chance_hardly_changes_it() -> None:
    mask = np.zeros((60, 60), dtype=np.float32)
    mask[:, 30:] = 1
    image = random_colours(60, 60)

    change = np.abs(followed(image, blurred(mask), radius=6) - blurred(mask))

    assert change.mean() < 0.02


def test_a_grey_photo_is_fitted_as_well_as_a_coloured_one() -> None:
    alpha = disk(80)
    coloured = composite((200, 60, 60), (60, 60, 60), alpha)
    grey = composite((200, 200, 200), (60, 60, 60), alpha)

    errors = [np.abs(followed(image, blurred(alpha)) - alpha).mean() for image in (grey, coloured)]

    assert errors[0] < 1.2 * errors[1]


def test_a_flat_mask_is_kept() -> None:
    image = random_colours(25, 25)
    mask = np.full((25, 25), 0.4, dtype=np.float32)

    np.testing.assert_allclose(followed(image, mask), mask, atol=1e-3)


def test_knowing_the_noise_keeps_it_out_of_the_matte() -> None:
    alpha = disk(120, softness=24)
    photo = noisy(composite(SAND, NIGHT, alpha), 16)

    unaware, aware = (followed(photo, blurred(alpha), noise=noise) for noise in (0, 16 / 255))

    assert np.abs(aware - alpha).mean() < 0.7 * np.abs(unaware - alpha).mean()


@pytest.mark.parametrize("levels", [3, 12])
def test_noise_is_measured_in_spite_of_edges(levels: int) -> None:
    photo = noisy(composite(SAND, NIGHT, disk(240)), levels)

    found = estimate_noise(photo, tiles(photo.shape, 80))

    np.testing.assert_allclose(found * 255, levels, rtol=0.1)


def test_a_photo_too_small_to_measure_has_no_noise() -> None:
    assert estimate_noise(np.zeros((2, 9, 3), np.uint8), tiles((2, 9), 80)) == 0


@pytest.mark.parametrize("finest", [1, 2, 4])
@pytest.mark.parametrize("blur", [0.9, 3.4, 11.0, 45.0])
def test_the_filter_runs_on_a_copy_where_the_blur_is_at_most_2_2_pixels(
    blur: float, finest: int
) -> None:
    scale = Scale.planned(blur, finest=finest)

    assert scale.reduction >= finest
    assert 0.45 <= scale.blur <= 2.2
