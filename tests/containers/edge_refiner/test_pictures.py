"""The requested output images are rendered, with the right size and colours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from containers.edge_refiner.alpha import estimate_alpha
from containers.edge_refiner.pictures import Rendered, compose, render
from pipeline.contracts.cutout import CutoutOptions, PictureFormat, PictureKind
from pipeline.photo.colour.spaces import ADOBE_RGB, ColourSpace, from_code_points
from pipeline.photo.pixels import Photo, Pixels
from tests.containers.edge_refiner import (
    AMPLE,
    SAND,
    Alpha,
    coarse_mask,
    composite,
    disk,
    photo_of,
)
from tests.pipeline.photo.viewer import shown_pixels

TEAL = (0, 128, 129)


def options(**changes: object) -> CutoutOptions:
    return CutoutOptions.model_validate({"model": "brightness"} | changes)


def block(height: int, width: int, rows: slice, columns: slice) -> Alpha:
    """Return a matte that is opaque inside a rectangle and transparent outside."""
    alpha = np.zeros((height, width), dtype=np.float32)
    alpha[rows, columns] = 1
    return alpha


def rendered(alpha: Alpha, **changes: object) -> dict[PictureKind, Rendered]:
    photo = photo_of(np.full((*alpha.shape, 3), SAND, dtype=np.uint8))
    pictures = render(photo, alpha, options(**changes))
    by_kind = {picture.kind: picture for picture in pictures}
    assert len(by_kind) == len(pictures)
    return by_kind


@pytest.mark.parametrize(
    "kinds",
    [
        ("cutout",),
        ("mask",),
        ("preview",),
        ("cutout", "mask"),
        ("mask", "preview"),
        ("cutout", "preview"),
        ("cutout", "mask", "preview"),
    ],
)
def test_exactly_the_requested_images_are_rendered(kinds: tuple[PictureKind, ...]) -> None:
    assert set(rendered(disk(9), outputs=kinds)) == set(kinds)


@pytest.mark.parametrize("picture_format", ["png", "webp"])
def test_a_mask_is_a_grey_png_in_every_format(
    picture_format: PictureFormat,
) -> None:
    alpha = np.array([[0, 0.25, 0.5, 1]], dtype=np.float32)

    pictures = rendered(alpha, outputs=("cutout", "mask", "preview"), format=picture_format)

    assert pictures["mask"].format == "png"
    assert pictures["mask"].pixels.tolist() == [[0, 64, 128, 255]]
    assert pictures["mask"].pixels.dtype == np.uint8
    assert pictures["cutout"].format == pictures["preview"].format == picture_format


def test_a_cutout_has_the_photos_colours_and_its_opacity() -> None:
    cutout = rendered(block(5, 6, slice(1, 3), slice(2, 5)))["cutout"].pixels

    assert cutout.shape == (5, 6, 4)
    assert (cutout[1:3, 2:5] == (*SAND, 255)).all()
    cutout[1:3, 2:5] = 0
    assert not cutout.any()


@pytest.mark.parametrize("kind", ["cutout", "mask", "preview"])
@pytest.mark.parametrize(("level", "expected"), [(7, (5, 10)), (8, (14, 15)), (255, (14, 15))])
def test_a_crop_is_the_box_around_visible_pixels(
    kind: PictureKind, level: int, expected: tuple[int, int]
) -> None:
    alpha = block(50, 40, slice(7, 12), slice(30, 40))
    alpha[20, 25] = level / 255

    picture = rendered(alpha, outputs=(kind,), crop=True)[kind]

    assert picture.pixels.shape[:2] == expected


@pytest.mark.parametrize("level", [0, 7])
def test_a_crop_without_visible_pixels_is_the_whole_frame(level: int) -> None:
    nothing = np.full((5, 6), level / 255, dtype=np.float32)

    assert rendered(nothing, crop=True)["cutout"].pixels.shape == (5, 6, 4)


def test_a_background_gives_an_opaque_image() -> None:
    alpha = block(4, 6, slice(0, 4), slice(0, 3))

    cutout = rendered(alpha, background="#008081")["cutout"].pixels

    assert cutout.shape == (4, 6, 3)
    assert (cutout[:, :3] == SAND).all()
    assert (cutout[:, 3:] == TEAL).all()


@pytest.mark.parametrize("background", ["#000000", "#ffffff", "#008081"])
@given(alpha=st.floats(0, 1 / 512, width=32))
@settings(max_examples=30)
def test_an_invisible_subject_leaves_the_background_exact(background: str, alpha: float) -> None:
    photo = photo_of(np.full((3, 3, 3), SAND, dtype=np.uint8))

    cutout = compose(photo, np.full((3, 3), alpha, dtype=np.float32), background)

    assert (cutout == tuple(bytes.fromhex(background[1:]))).all()


def test_a_soft_edge_mixes_subject_and_background() -> None:
    photo = photo_of(np.full((9, 9, 3), SAND, dtype=np.uint8))

    cutout = compose(photo, np.full((9, 9), 0.25, dtype=np.float32), "#008081")

    mixed = 0.25 * np.array(SAND) + 0.75 * np.array(TEAL)
    np.testing.assert_allclose(cutout, np.broadcast_to(mixed, cutout.shape), atol=1)


@settings(max_examples=60)
@given(
    rgb=arrays(np.uint8, (7, 11, 3)),
    alpha=arrays(np.float32, (7, 11), elements=st.floats(0, 1, width=32)),
)
def test_invisible_pixels_of_a_cutout_have_no_colour(rgb: Pixels, alpha: Alpha) -> None:
    cutout = compose(photo_of(rgb), alpha, None)

    assert not cutout[cutout[..., 3] == 0].any()
    opaque = cutout[..., 3] == 255
    np.testing.assert_array_equal(cutout[opaque][:, :3], rgb[opaque])


@pytest.mark.parametrize("hidden", [(0, 0, 0), (255, 255, 255), (0, 255, 0), SAND])
def test_a_cutout_of_a_cutout_keeps_the_subjects_colour(hidden: tuple[int, int, int]) -> None:
    alpha = disk(300, softness=3)
    colours = np.array([SAND, hidden], dtype=np.uint8)
    rgb = np.where(alpha[..., None] > 0, colours[0], colours[1])
    photo = photo_of(rgb, (alpha * 255).round().astype(np.uint8))
    _, again = estimate_alpha(photo, coarse_mask(alpha, 128), mode="fast", budget=AMPLE)

    cutout = compose(photo, again, None)

    visible = cutout[cutout[..., 3] > 25][:, :3]
    np.testing.assert_allclose(visible, np.broadcast_to(SAND, visible.shape), atol=8)


@pytest.mark.parametrize("opacity", [1, 40, 128, 254])
def test_a_half_transparent_photo_keeps_its_colour(opacity: int) -> None:
    red = np.broadcast_to(np.array([255, 0, 0], np.uint8), (60, 60, 3)).copy()
    photo = photo_of(red, np.full((60, 60), opacity, dtype=np.uint8))
    mask = np.full((8, 8), 255, dtype=np.uint8)
    _, alpha = estimate_alpha(photo, mask, mode="auto", budget=AMPLE)

    cutout = compose(photo, alpha, None)

    assert np.unique(cutout.reshape(-1, 4), axis=0).tolist() == [[255, 0, 0, opacity]]
    over_black = compose(photo, alpha, "#000000")[30, 30]
    np.testing.assert_allclose(over_black, (opacity, 0, 0), atol=1)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((3, 1024), (3, 1024)),
        ((30, 1500), (20, 1024)),
        ((2048, 64), (1024, 32)),
        ((7, 5), (7, 5)),
        ((1, 4000), (1, 1024)),
    ],
)
@pytest.mark.parametrize("background", [None, "#008081"])
def test_the_longer_side_of_a_preview_is_at_most_1024(
    size: tuple[int, int], expected: tuple[int, int], background: str | None
) -> None:
    alpha = np.ones(size, dtype=np.float32)

    pictures = rendered(alpha, outputs=("cutout", "preview"), background=background)

    assert pictures["preview"].pixels.shape[:2] == expected
    assert pictures["cutout"].pixels.shape[:2] == size


@pytest.mark.parametrize("background", [None, "#008081"])
def test_every_image_is_reduced_after_the_crop_and_its_margin(background: str | None) -> None:
    alpha = block(600, 900, slice(100, 500), slice(300, 500))

    pictures = rendered(
        alpha, outputs=("cutout", "mask", "preview"), background=background,
        crop=True, margin=10, size=120,
    )  # fmt: skip

    assert {kind: picture.pixels.shape[:2] for kind, picture in pictures.items()} == {
        "cutout": (120, 70), "mask": (120, 70), "preview": (120, 70),
    }  # fmt: skip
    assert (pictures["mask"].pixels[60, 35], pictures["mask"].pixels[2, 2]) == (255, 0)
    assert pictures["cutout"].pixels[60, 35, :3].tolist() == list(SAND)
    assert pictures["cutout"].pixels[2, 2].tolist() == (
        [0, 0, 0, 0] if background is None else list(TEAL)
    )


def test_a_size_above_a_preview_does_not_enlarge_it() -> None:
    alpha = np.ones((1_500, 3_000), dtype=np.float32)

    pictures = rendered(alpha, outputs=("cutout", "preview"), size=2_000)

    assert pictures["cutout"].pixels.shape == (1_000, 2_000, 4)
    assert pictures["preview"].pixels.shape == (512, 1_024, 4)


def test_invisible_pixels_do_not_darken_the_edges_of_a_preview() -> None:
    alpha = block(8, 2048, slice(None), slice(1, None, 2))

    preview = rendered(alpha, outputs=("preview",))["preview"].pixels

    seen = preview[preview[..., 3] > 25][:, :3]
    assert len(seen) == 4 * 1024
    np.testing.assert_allclose(seen, np.broadcast_to(SAND, seen.shape), atol=2)


def test_a_scene_is_cut_out_along_its_edge() -> None:
    true = disk(240)
    photo = photo_of(composite(SAND, TEAL, true))
    _, alpha = estimate_alpha(photo, coarse_mask(true), mode="auto", budget=AMPLE)

    cutout = compose(photo, alpha, None)

    assert (cutout[120, 120] == (*SAND, 255)).all()
    assert not cutout[5, 5].any()


PROFILES: dict[str, ColourSpace | None] = {
    "Adobe RGB": ADOBE_RGB,
    "Display P3": from_code_points(12, 13),
    "linear": from_code_points(1, 8),
    "SMPTE 170M, which has no pure red": from_code_points(6, 13),
}


@pytest.mark.parametrize("background", ["#ff8040", "#ff0000", "#ffffff", "#010203"])
@pytest.mark.parametrize("name", PROFILES)
def test_a_background_is_seen_in_its_colour_in_every_profile(name: str, background: str) -> None:
    space = PROFILES[name]
    assert space is not None
    sand = np.full((64, 64, 3), SAND, dtype=np.uint8)
    photo = Photo(sand, None, space.profile(), None)
    wishes = options(background=background, outputs=("cutout", "mask", "preview"))

    pictures = {picture.kind: picture for picture in render(photo, disk(64), wishes)}

    asked = [int(background[at : at + 2], 16) for at in (1, 3, 5)]
    subject = shown_pixels(sand, photo.icc_profile)[0, 0].astype(int)
    for kind in ("cutout", "preview"):
        seen = shown_pixels(pictures[kind].pixels, pictures[kind].icc_profile).astype(int)
        assert np.abs(seen[2, 2] - asked).max() <= 2
        assert np.abs(seen[32, 32] - subject).max() <= 1
    assert pictures["mask"].icc_profile is None


def test_a_translucent_background_is_seen_in_its_colour() -> None:
    photo = Photo(np.full((64, 64, 3), SAND, dtype=np.uint8), None, ADOBE_RGB.profile(), None)

    (cutout,) = render(photo, disk(64), options(background="#ff804080"))

    assert cutout.pixels[2, 2, 3] == 128
    seen = shown_pixels(np.ascontiguousarray(cutout.pixels[..., :3]), cutout.icc_profile)
    assert np.abs(seen[2, 2].astype(int) - [255, 128, 64]).max() <= 2


def test_without_a_background_the_photo_keeps_its_numbers_and_its_profile() -> None:
    space = PROFILES["linear"]
    assert space is not None
    photo = Photo(np.full((64, 64, 3), SAND, dtype=np.uint8), None, space.profile(), None)

    (cutout,) = render(photo, disk(64), options())

    assert cutout.pixels[32, 32].tolist() == [*SAND, 255]
    assert cutout.icc_profile == space.profile()
