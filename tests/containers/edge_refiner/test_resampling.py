"""Sampling equals enlarging the whole plane; a reduced picture has no halos."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from containers.edge_refiner import resampling
from containers.edge_refiner.box_filter import Plane
from containers.edge_refiner.resampling import Places, reduced_to, sample
from pipeline.photo.pixels import Pixels

SHAPES = [
    ((5, 7), (40, 61)),
    ((5, 7), (5, 7)),
    ((1, 1), (9, 4)),
    ((3, 2), (3, 50)),
    ((9, 1), (9, 1)),
]


def plane(*shape: int) -> Plane:
    return np.random.default_rng(2).random(shape, dtype=np.float32)


@pytest.mark.parametrize(("small", "large"), SHAPES)
def test_sampled_pixels_are_those_of_the_enlarged_plane(
    small: tuple[int, int], large: tuple[int, int]
) -> None:
    colours = plane(3, *small)
    down, across = (
        Places.enlarged(few, scale=many / few, start=0, end=many).at(chosen.ravel())
        for few, many, chosen in zip(small, large, np.indices(large), strict=True)
    )

    sampled = sample(colours, down, across)

    size = large[1], large[0]
    images = [Image.fromarray(each).resize(size, Image.Resampling.BILINEAR) for each in colours]
    enlarged = np.stack([np.asarray(image) for image in images])
    np.testing.assert_allclose(sampled.reshape(3, *large), enlarged, atol=1e-5)


def test_sampling_no_pixels_returns_an_empty_array() -> None:
    nothing = Places.enlarged(4, scale=2, start=3, end=3)

    assert sample(plane(6, 4, 4), nothing, nothing).shape == (6, 0)


VIOLET = (120, 60, 200)
RADIUS, CENTRE = 300, (350, 500)


def cut_disk() -> Pixels:
    """700 × 1,000: a violet disk with a soft edge of one pixel, nothing around it."""
    down, across = np.mgrid[:700, :1_000]
    distance = np.hypot(down + 0.5 - CENTRE[0], across + 0.5 - CENTRE[1])
    alpha = (np.clip(RADIUS - distance + 0.5, 0, 1) * 255).round().astype(np.uint8)
    return np.dstack(
        [np.where(alpha > 0, colour, 0).astype(np.uint8) for colour in VIOLET] + [alpha]
    )


def distances(shape: tuple[int, ...], scale: float) -> Plane:
    down, across = np.indices(shape[:2]).astype(np.float32) + np.float32(0.5)
    distance: Plane = np.hypot(down * scale - CENTRE[0], across * scale - CENTRE[1])
    return distance


@pytest.mark.parametrize("longest", [997, 500, 313, 64])
def test_a_reduced_edge_has_no_ripples_and_only_the_subjects_colour(longest: int) -> None:
    reduced = reduced_to(longest, cut_disk())

    scale = 1_000 / longest
    distance = distances(reduced.shape, scale)
    alpha = reduced[..., 3]
    assert not alpha[distance > RADIUS + 2.5 * scale + 1].any()
    assert (alpha[distance < RADIUS - 2.5 * scale - 1] == 255).all()
    assert (reduced[alpha > 0, :3] == VIOLET).all()
    assert not reduced[alpha == 0].any()
    # The disk keeps its area.
    assert alpha.sum() / 255 * scale**2 == pytest.approx(np.pi * RADIUS**2, rel=0.01)


def test_a_mask_is_reduced_like_the_alpha_of_its_cutout() -> None:
    noise = np.random.default_rng(4).integers(0, 256, (300, 401, 4), dtype=np.uint8)

    np.testing.assert_array_equal(reduced_to(123, noise[..., 3]), reduced_to(123, noise)[..., 3])


@pytest.mark.parametrize("channels", [(), (3,), (4,)])
@settings(max_examples=60)
@given(height=st.integers(1, 90), width=st.integers(1, 90), longest=st.integers(1, 120))
def test_a_picture_has_at_most_that_size_and_never_grows(
    channels: tuple[int, ...], height: int, width: int, longest: int
) -> None:
    picture = np.full((height, width, *channels), 77, dtype=np.uint8)

    reduced = reduced_to(longest, picture)

    assert max(reduced.shape[:2]) == min(longest, max(height, width))
    assert (reduced == 77).all()
    if longest >= max(height, width):
        assert reduced is picture


@pytest.mark.parametrize("longest", [399, 250, 41, 1])
def test_strips_of_a_large_picture_have_no_seams(
    longest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(7).integers(1, 256, (400, 123, 4), dtype=np.uint8)
    whole = reduced_to(longest, noise).astype(int)

    monkeypatch.setattr(resampling, "_STRIP_PIXELS", 123 * 30)
    in_strips = reduced_to(longest, noise)

    np.testing.assert_allclose(in_strips, whole, atol=1)  # Pillow's box has single precision


def test_a_reduced_picture_is_sharper_than_a_bilinear_filter_makes_it() -> None:
    down, across = np.mgrid[:480, :640]
    texture = 128 + 60 * np.sin(across / 2.3) * np.cos(down / 3.1)
    noise = np.random.default_rng(6).normal(0, 20, texture.shape)
    grey = np.clip(texture + noise, 0, 255).astype(np.uint8)
    opaque = np.dstack([grey, grey, grey, np.full_like(grey, 255)])

    contrast = reduced_to(200, opaque)[..., 0].astype(float).std()

    bilinear = Image.fromarray(grey).resize((200, 150), Image.Resampling.BILINEAR)
    assert contrast > 1.1 * np.asarray(bilinear).astype(float).std()
