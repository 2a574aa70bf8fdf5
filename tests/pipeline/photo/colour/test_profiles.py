"""Colours of sRGB are found in other profiles, and photos in other profiles in sRGB."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageCms

from pipeline.photo.colour import profiles
from pipeline.photo.colour.spaces import (
    ADOBE_RGB,
    Chromaticities,
    ColourSpace,
    from_code_points,
    from_numbers,
)
from pipeline.photo.colour.spaces import SRGB as SRGB_SPACE
from pipeline.photo.pixels import Photo, decode
from tests.pictures import Pixels
from tests.pipeline.photo import viewer
from tests.pipeline.photo.icc import brightening_scanner, colourless_press
from tests.pipeline.photo.pictures import noise, saved

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PROPHOTO = Chromaticities((0.3457, 0.3585), (0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001))


def profile_of(primaries: int, transfer: int) -> bytes:
    space = from_code_points(primaries, transfer)
    return (space and space.profile()) or b""


def prophoto() -> bytes:
    space = from_numbers(PROPHOTO, [(1.8,)])
    return (space and space.profile()) or b""


WIDE = {
    "Display P3": profile_of(12, 13),
    "Adobe RGB": ADOBE_RGB.profile() or b"",
    "ProPhoto": prophoto(),
    "BT.2020": profile_of(9, 13),
    "linear sRGB": profile_of(1, 8),
}
SRGB_CURVE = SRGB_SPACE.curves[0]
STEPS = (40, 90, 140, 190, 240)
GRID = [(red, green, blue) for red in STEPS for green in STEPS for blue in STEPS]
COLOURS = [(255, 128, 64), (255, 255, 255), (0, 0, 0), (0, 255, 0), (255, 0, 0), (18, 52, 86)]


def seen(photo: Photo) -> Pixels:
    return viewer.shown(photo)


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("colour", COLOURS, ids=str)
def test_a_colour_is_what_a_viewer_shows(name: str, colour: tuple[int, int, int]) -> None:
    photo = Photo(np.asarray(noise()), None, WIDE[name], None).able_to_show(colour)
    filled = np.full((2, 2, 3), photo.numbers_of(colour), dtype=np.uint8)

    assert np.abs(viewer.shown_pixels(filled, photo.icc_profile).astype(int) - colour).max() <= 2


@pytest.mark.parametrize("name", ["Display P3", "Adobe RGB", "ProPhoto", "BT.2020"])
def test_a_wide_profile_is_kept_for_a_colour_that_it_holds(name: str) -> None:
    photo = Photo(np.asarray(noise()), None, WIDE[name], None)

    assert photo.able_to_show((255, 128, 64)) is photo
    assert photo.numbers_of((255, 128, 64)) != (255, 128, 64)


@pytest.mark.parametrize("profile", [None, SRGB], ids=["none", "sRGB's own"])
@pytest.mark.parametrize("colour", COLOURS, ids=str)
def test_a_colour_in_srgb_is_itself(colour: tuple[int, int, int], profile: bytes | None) -> None:
    photo = Photo(np.asarray(noise()), None, profile, None)

    assert photo.able_to_show(colour) is photo
    assert photo.numbers_of(colour) == colour


def test_a_profile_that_hardly_differs_from_srgb_changes_no_numbers() -> None:
    like_srgb = ColourSpace("a monitor", SRGB_SPACE.chromaticities, ((2.42, *SRGB_CURVE[1:]),))
    photo = Photo(np.asarray(noise()), None, like_srgb.profile(), None)

    assert (viewer.shown(photo) != photo.rgb).any()
    assert [photo.numbers_of(colour) for colour in GRID] == GRID


NARROW = profile_of(6, 13)
NO_WAY_BACK = brightening_scanner()


@pytest.mark.parametrize(
    ("profile", "colour"),
    [(NARROW, (255, 0, 0)), (WIDE["linear sRGB"], (1, 2, 3)), (NO_WAY_BACK, (255, 128, 64))],
    ids=["too narrow", "too coarse in the dark", "without a way back"],
)
def test_a_photo_is_converted_if_its_profile_cannot_hold_a_colour(
    profile: bytes, colour: tuple[int, int, int]
) -> None:
    photo = Photo(np.asarray(noise()), None, profile, (300, 300))
    converted = photo.able_to_show(colour)

    assert converted.icc_profile is None
    assert converted.dpi == (300, 300)
    np.testing.assert_array_equal(converted.rgb, seen(photo))
    assert converted.numbers_of(colour) == colour


def test_a_profile_that_cannot_hold_a_colour_has_no_numbers_for_it() -> None:
    photo = Photo(np.asarray(noise()), None, NARROW, None)

    with pytest.raises(ValueError, match="cannot hold the colour"):
        photo.numbers_of((255, 0, 0))


def test_a_profile_that_converts_nothing_is_dropped_for_a_background() -> None:
    photo = Photo(np.asarray(noise()), None, b"\0" * 16 + b"RGB " + bytes(200), None)
    shown = photo.able_to_show((255, 0, 0))

    np.testing.assert_array_equal(shown.rgb, photo.rgb)
    assert shown.numbers_of((255, 0, 0)) == (255, 0, 0)


@pytest.mark.parametrize(("name", "differs"), [*((name, True) for name in WIDE), ("sRGB", False)])
def test_only_profiles_unlike_srgb_differ_from_it(name: str, *, differs: bool) -> None:
    assert profiles.differs_from_srgb((WIDE | {"sRGB": SRGB})[name]) is differs


def test_a_photo_in_srgbs_own_profile_is_not_converted() -> None:
    photo = decode(saved(noise(), "PNG", icc_profile=SRGB), in_srgb=True)

    np.testing.assert_array_equal(photo.rgb, np.asarray(noise()))


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_a_photo_is_decoded_in_srgb(mode: str, name: str) -> None:
    content = saved(noise().convert(mode), "PNG", icc_profile=WIDE[name])
    kept, converted = decode(content), decode(content, in_srgb=True)

    assert kept.icc_profile == WIDE[name]
    assert converted.icc_profile is None
    np.testing.assert_array_equal(converted.rgb, seen(kept))


def test_a_transform_needs_a_profile_of_the_pixels() -> None:
    transform = profiles.to_srgb(profile_of(1, 8), "RGB")

    assert transform is not None
    assert profiles.to_srgb(colourless_press(), "RGB") is None
    assert profiles.to_srgb(b"noise", "L") is None
