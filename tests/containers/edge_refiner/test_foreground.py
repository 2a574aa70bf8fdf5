"""Soft pixels get the subject's colour; opaque ones keep theirs, invisible ones are black."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from containers.edge_refiner import foreground as foreground_module
from containers.edge_refiner import tiling
from containers.edge_refiner.foreground import estimate_foreground
from containers.edge_refiner.tiling import Tile
from pipeline.parallel import sharing
from pipeline.photo.pixels import Pixels
from tests.containers.edge_refiner import NIGHT, SAND, Alpha, Colour, composite, disk

PAIRS = [
    (SAND, NIGHT),
    (NIGHT, SAND),
    ((220, 60, 40), (40, 90, 160)),
    ((255, 255, 255), (0, 0, 0)),
    ((0, 0, 0), (0, 255, 0)),
]

scenes = array_shapes(min_dims=2, max_dims=2, max_side=21).flatmap(
    lambda shape: st.tuples(
        arrays(np.uint8, (*shape, 3)),
        arrays(np.float32, shape, elements=st.floats(0, 1, width=32)),
    )
)


def noise(side: int) -> Pixels:
    return np.random.default_rng(7).integers(0, 256, (side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize(("subject", "backdrop"), PAIRS)
@pytest.mark.parametrize(
    ("side", "softness", "residual"),
    [(181, 1, 0.01), (700, 5, 0.01), (181, 5, 0.04), (600, 18, 0.04)],
)
def test_soft_pixels_get_the_subjects_colour(
    subject: Colour, backdrop: Colour, side: int, softness: int, residual: float
) -> None:
    alpha = disk(side, softness=softness)

    foreground = estimate_foreground(composite(subject, backdrop, alpha), alpha)

    soft = foreground[(alpha > 0.02) & (alpha < 1)]
    contrast = np.abs(np.subtract(subject, backdrop)).max()
    np.testing.assert_allclose(soft, np.broadcast_to(subject, soft.shape), atol=residual * contrast)


@pytest.mark.parametrize(("subject", "backdrop"), PAIRS)
@pytest.mark.parametrize(("side", "softness", "levels"), [(181, 1, 2), (700, 5, 2), (600, 18, 4)])
def test_no_fringe_remains_on_another_background(
    subject: Colour, backdrop: Colour, side: int, softness: int, levels: int
) -> None:
    alpha = disk(side, softness=softness)
    magenta = (255, 0, 255)

    foreground = estimate_foreground(composite(subject, backdrop, alpha), alpha)

    composed = foreground * alpha[..., None] + np.array(magenta) * (1 - alpha[..., None])
    np.testing.assert_allclose(composed, composite(subject, magenta, alpha), atol=levels)


@pytest.mark.parametrize(("subject", "backdrop"), PAIRS)
@pytest.mark.parametrize(("side", "softness", "levels"), [(181, 1, 2), (700, 5, 2), (600, 18, 4)])
def test_the_foreground_on_the_old_background_is_the_photo(
    subject: Colour, backdrop: Colour, side: int, softness: int, levels: int
) -> None:
    alpha = disk(side, softness=softness)
    photo = composite(subject, backdrop, alpha)

    foreground = estimate_foreground(photo, alpha)

    composed = foreground * alpha[..., None] + np.array(backdrop) * (1 - alpha[..., None])
    np.testing.assert_allclose(composed, photo, atol=levels)


@settings(max_examples=60)
@given(scene=scenes)
def test_opaque_pixels_keep_their_colour_and_invisible_ones_are_black(
    scene: tuple[Pixels, Alpha],
) -> None:
    photo, alpha = scene
    before = photo.copy()

    foreground = estimate_foreground(photo, alpha)

    np.testing.assert_array_equal(foreground[alpha == 1], before[alpha == 1])
    assert not foreground[alpha == 0].any()
    np.testing.assert_array_equal(photo, before)
    assert (foreground.dtype, foreground.shape) == (photo.dtype, photo.shape)


@pytest.mark.parametrize(("faint", "black"), [(0.0019, True), (0.0021, False)])
def test_alpha_below_half_a_level_is_invisible(faint: float, black: bool) -> None:  # noqa: FBT001
    photo = np.full((20, 20, 3), 200, dtype=np.uint8)

    foreground = estimate_foreground(photo, np.full((20, 20), faint, dtype=np.float32))

    assert (foreground == 0).all() == black


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1)])
def test_a_plain_photo_of_any_size_keeps_its_colour(shape: tuple[int, int]) -> None:
    photo = np.full((*shape, 3), SAND, dtype=np.uint8)

    foreground = estimate_foreground(photo, np.full(shape, 0.5, dtype=np.float32))

    np.testing.assert_allclose(foreground, photo, atol=1)


def test_soft_pixels_keep_the_subjects_detail() -> None:
    stripes = np.full((90, 90, 3), 100, dtype=np.uint8)
    stripes[::2] = 160
    alpha = np.full((90, 90), 0.9, dtype=np.float32)

    foreground = estimate_foreground(stripes, alpha)

    darker, lighter = foreground[1::2].mean(), foreground[::2].mean()
    assert lighter - darker > 0.8 * 60


@pytest.mark.parametrize("strip_pixels", [1, 90_000])
def test_colours_do_not_depend_on_the_size_of_strips(
    strip_pixels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    alpha = disk(601, softness=40)[:, 200:400]
    photo = noise(601)[:, 200:400]
    whole = estimate_foreground(photo, alpha)

    monkeypatch.setattr(tiling, "_STRIP_PIXELS", strip_pixels)

    np.testing.assert_allclose(estimate_foreground(photo, alpha), whole, atol=1)


@pytest.mark.parametrize("shape", [(700, 901), (1300, 500), (200, 160)])
@pytest.mark.parametrize("box", [(0, 90, 0, 60), (60, 190, 30, 150), (110, 200, 100, 160)])
def test_colours_are_the_same_whether_all_or_the_soft_box_is_computed(
    shape: tuple[int, int], box: tuple[int, int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = np.random.default_rng(5)
    photo = dice.integers(0, 256, (*shape, 3), dtype=np.uint8)
    top, bottom, left, right = box
    alpha = np.ones(shape, dtype=np.float32)
    alpha[:, shape[1] // 2 :] = 0
    alpha[top:bottom, left:right] = dice.random((bottom - top, right - left))

    found = estimate_foreground(photo, alpha)

    monkeypatch.setattr(foreground_module, "_soft_box", lambda _, small: Tile(0, 0, *small))
    np.testing.assert_array_equal(estimate_foreground(photo, alpha), found)


def test_threads_do_not_change_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreground_module, "_STRIP_ROWS", 32)
    photo = np.random.default_rng(6).integers(0, 256, (300, 200, 3), dtype=np.uint8)
    alpha = disk(300)[:, :200]
    with sharing(1):
        one = estimate_foreground(photo, alpha)

    with sharing(4):
        np.testing.assert_array_equal(estimate_foreground(photo, alpha), one)


def test_strips_of_the_copy_change_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = np.random.default_rng(7).integers(0, 256, (400, 300, 3), dtype=np.uint8)
    alpha = disk(400)[:, :300]
    whole = estimate_foreground(photo, alpha)
    monkeypatch.setattr(foreground_module, "_STRIP_ROWS", 20)

    np.testing.assert_array_equal(estimate_foreground(photo, alpha), whole)
