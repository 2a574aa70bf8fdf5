"""A matte has a number from 0 to 1 for every pixel of the photo and follows the photo's edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from containers.edge_refiner.alpha import estimate_alpha
from pipeline.contracts.cutout import Refine
from pipeline.photo.pixels import Pixels
from tests.containers.edge_refiner import (
    AMPLE,
    NIGHT,
    SAND,
    Alpha,
    Colour,
    coarse_mask,
    composite,
    disk,
    fabric,
    noisy,
    over,
    photo_of,
)

CLAY: Colour = (190, 110, 90)
TEAL: Colour = (90, 140, 150)  # of nearly the same brightness
CLOTH = fabric(600, (170, 120, 90), cell=5, seed=1)
LEAVES = fabric(600, (90, 120, 140), cell=6, seed=2)
EDGE, FUR = disk(600), disk(600, softness=18)

MODES: tuple[Refine, ...] = ("none", "fast", "matting", "auto")

sides = array_shapes(min_dims=2, max_dims=2, max_side=33)
photos = sides.flatmap(lambda shape: arrays(np.uint8, (*shape, 3)))
masks = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=9))


def matte(photo: Pixels, mask: Pixels, mode: Refine = "fast") -> Alpha:
    return estimate_alpha(photo_of(photo), mask, mode=mode, budget=AMPLE)[1]


def mean_error(estimated: Alpha, true: Alpha) -> float:
    return float(np.abs(estimated - true).mean())


def squared_error(estimated: Alpha, true: Alpha) -> float:
    return float(np.square(estimated - true).mean())


@settings(max_examples=60)
@given(photo=photos, mask=masks, mode=st.sampled_from(MODES))
def test_every_photo_and_mask_give_a_matte_from_0_to_1(
    photo: Pixels, mask: Pixels, mode: Refine
) -> None:
    alpha = matte(photo, mask, mode)

    assert alpha.dtype == np.float32
    assert alpha.shape == photo.shape[:2]
    assert np.isfinite(alpha).all()
    assert alpha.min() >= 0
    assert alpha.max() <= 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (37, 91), (1100, 3)])
@pytest.mark.parametrize("mask_side", [1, 7, 64])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("level", "expected"), [(0, 0.0), (255, 1.0)])
def test_a_constant_certain_mask_gives_the_same_matte(
    shape: tuple[int, int], mask_side: int, mode: Refine, level: int, expected: float
) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    mask = np.full((mask_side, mask_side), level, dtype=np.uint8)

    assert (matte(photo, mask, mode) == expected).all()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("grey", [0, 77, 255])
def test_a_half_transparent_mask_of_a_plain_photo_is_unchanged(mode: Refine, grey: int) -> None:
    photo = np.full((45, 31, 3), grey, dtype=np.uint8)
    mask = np.full((8, 8), 100, dtype=np.uint8)

    np.testing.assert_allclose(matte(photo, mask, mode), 100 / 255, atol=1e-4)


def test_a_plain_photo_keeps_the_shape_in_the_mask() -> None:
    true = disk(200)
    photo = np.full((200, 200, 3), 128, dtype=np.uint8)

    inside = matte(photo, coarse_mask(true)) >= 0.5

    assert np.mean(inside == (true >= 0.5)) > 0.99


@pytest.mark.parametrize("mode", MODES)
def test_alpha_is_one_deep_inside_and_zero_far_outside(mode: Refine) -> None:
    photo = composite(SAND, NIGHT, disk(300))

    alpha = matte(photo, coarse_mask(disk(300)), mode)

    down, across = np.mgrid[:300, :300] - 149.5
    distance = np.hypot(down, across)
    assert (alpha[distance < 90 - 30] > 1 - 1e-4).all()
    assert (alpha[distance > 90 + 30] < 1e-4).all()


@pytest.mark.parametrize("side", [256, 601, 1100])
@pytest.mark.parametrize(("subject", "backdrop"), [(SAND, NIGHT), (NIGHT, SAND)])
def test_fast_removes_three_quarters_of_the_masks_error_at_a_sharp_edge(
    side: int, subject: Colour, backdrop: Colour
) -> None:
    true = disk(side)
    photo = composite(subject, backdrop, true)

    enlarged = squared_error(matte(photo, coarse_mask(true), "none"), true)
    refined = squared_error(matte(photo, coarse_mask(true), "fast"), true)

    assert refined < enlarged / 4


@pytest.mark.parametrize("blur", [0, 1])
@pytest.mark.parametrize(
    ("photo", "true"),
    [
        (noisy(composite(CLAY, TEAL, EDGE), 20), EDGE),
        (over(CLOTH, LEAVES, EDGE), EDGE),
        (composite(SAND, NIGHT, FUR), FUR),
        (noisy(composite(SAND, NIGHT, FUR), 10), FUR),
        (noisy(composite(CLAY, TEAL, FUR), 20), FUR),
        (over(CLOTH, LEAVES, FUR), FUR),
    ],
    ids=["noisy", "textured", "soft", "soft-noisy", "soft-noisy-pale", "soft-textured"],
)
def test_fast_is_not_worse_than_the_mask(photo: Pixels, true: Alpha, blur: float) -> None:
    mask = coarse_mask(true, 320, blur=blur)

    enlarged, refined = matte(photo, mask, "none"), matte(photo, mask, "fast")

    assert mean_error(refined, true) < mean_error(enlarged, true) + 0.0006  # a seventh of a level
    assert squared_error(refined, true) < squared_error(enlarged, true) + 0.00005


@pytest.mark.parametrize("blur", [0, 1])
@pytest.mark.parametrize(("subject", "backdrop"), [(SAND, NIGHT), (CLAY, TEAL)])
def test_fast_is_better_than_the_mask_on_a_clean_edge(
    subject: Colour, backdrop: Colour, blur: float
) -> None:
    photo, mask = composite(subject, backdrop, EDGE), coarse_mask(EDGE, 320, blur=blur)

    enlarged, refined = matte(photo, mask, "none"), matte(photo, mask, "fast")

    assert mean_error(refined, EDGE) < 0.85 * mean_error(enlarged, EDGE)
    assert squared_error(refined, EDGE) < 0.6 * squared_error(enlarged, EDGE)


def test_fast_leaves_no_half_transparent_pixel_at_a_sharp_edge() -> None:
    true = disk(600)

    alpha = matte(composite(SAND, NIGHT, true), coarse_mask(true))

    assert alpha[true == 1].min() > 0.7
    assert alpha[true == 0].max() < 0.3


def test_none_returns_the_mask_unchanged() -> None:
    mask = np.arange(256, dtype=np.uint8).reshape(16, 16)
    photo = np.zeros((16, 16, 3), dtype=np.uint8)

    np.testing.assert_allclose(matte(photo, mask, "none"), mask / 255, atol=1e-6)


@pytest.mark.parametrize("glint", [0, 255])
def test_a_glint_on_the_edge_keeps_alpha_from_0_to_1(glint: int) -> None:
    true = disk(200)
    photo = composite((120, 120, 120), (100, 100, 100), true)
    photo[100, 38:42] = glint

    alpha = matte(photo, coarse_mask(true))

    assert alpha.min() >= 0
    assert alpha.max() <= 1


@pytest.mark.parametrize("mode", MODES)
@given(own=arrays(np.uint8, (9, 13)))
@settings(max_examples=20)
def test_alpha_never_exceeds_the_photos_own(mode: Refine, own: Pixels) -> None:
    photo = photo_of(np.full((9, 13, 3), 90, dtype=np.uint8), own)

    _, alpha = estimate_alpha(photo, np.full((4, 4), 255, dtype=np.uint8), mode=mode, budget=AMPLE)

    np.testing.assert_allclose(alpha, own / 255, atol=1e-6)
