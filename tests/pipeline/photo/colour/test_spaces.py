"""Colour spaces become profiles that littlecms converts as their definitions say."""

from __future__ import annotations

import io
import itertools
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from pipeline.errors import UnsupportedMedia
from pipeline.photo.colour.spaces import (
    ADOBE_RGB,
    SRGB,
    Chromaticities,
    ColourSpace,
    from_code_points,
    from_numbers,
)
from tests.pipeline.photo import viewer
from tests.pipeline.photo.viewer import D65, Numbers, Points, power, seen

C = (0.310, 0.316)
GRID = np.array(list(itertools.product(range(0, 256, 51), repeat=3)), dtype=np.uint8)[None]
# Of ITU-T H.273, tables 2 and 3.
PRIMARIES: dict[int, Points] = {
    1: viewer.SRGB,
    4: (C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: (D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: (D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: (D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    8: (C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: viewer.BT2020,
    11: ((0.314, 0.351), *viewer.P3[1:]),
    12: viewer.P3,
    22: (D65, (0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}


def bt709(value: Numbers) -> Numbers:
    return np.where(value < 0.081, value / 4.5, ((value + 0.099) / 1.099) ** (1 / 0.45))


def smpte240(value: Numbers) -> Numbers:
    return np.where(value < 0.0913, value / 4, ((value + 0.1115) / 1.1115) ** (1 / 0.45))


def decades(count: float) -> Any:
    return lambda value: np.where(value > 0, 10 ** (count * (value - 1)), 0)


TRANSFERS: dict[int, Any] = {
    1: bt709, 4: power(2.2), 5: power(2.8), 6: bt709, 7: smpte240, 8: power(1), 9: decades(2),
    10: decades(2.5), 11: bt709, 12: bt709, 13: viewer.srgb_light, 14: bt709, 15: bt709,
    17: power(2.6),
}  # fmt: skip


def converted(space: ColourSpace | None) -> Numbers:
    assert space is not None
    return viewer.shown_pixels(GRID, space.profile()).astype(float)


@pytest.mark.parametrize("primaries", PRIMARIES)
def test_primaries_of_a_code_point_are_those_of_the_standard(primaries: int) -> None:
    expected = seen(GRID, PRIMARIES[primaries], bt709)

    assert np.abs(converted(from_code_points(primaries, 1)) - expected).max() <= 1.2


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_the_curve_of_a_code_point_is_that_of_the_standard(transfer: int) -> None:
    expected = seen(GRID, viewer.P3, TRANSFERS[transfer])

    assert np.abs(converted(from_code_points(12, transfer)) - expected).max() <= 1.2


def test_adobe_rgb_is_that_of_its_specification() -> None:
    expected = seen(GRID, viewer.ADOBE, power(563 / 256))

    assert np.abs(converted(ADOBE_RGB) - expected).max() <= 1


def test_xyz_has_a_profile() -> None:
    space = from_code_points(10, 8)

    assert space is not None
    assert converted(space)[0, -1].tolist() == [255, 255, 255]


@pytest.mark.parametrize("exponent", [1.0, 1.8, 2.2])
def test_grey_has_a_curve_only(exponent: float) -> None:
    space = from_numbers(Chromaticities(C, *viewer.P3[1:]), [(exponent,)])
    assert space is not None
    levels = np.arange(0, 256, 5, dtype=np.uint8)[None]
    profile = ImageCms.ImageCmsProfile(io.BytesIO(space.profile(grey=True) or b""))
    screen, exact = ImageCms.createProfile("sRGB"), ImageCms.Flags.NOOPTIMIZE
    picture = ImageCms.profileToProfile(
        Image.fromarray(levels), profile, screen, outputMode="RGB", flags=exact
    )

    rgb = levels[..., None].repeat(3, axis=2)
    assert np.abs(np.asarray(picture) - seen(rgb, viewer.SRGB, power(exponent))).max() <= 1


def test_each_channel_may_have_its_own_curve() -> None:
    space = from_numbers(None, [(1.0,), (1.8,), (2.4,)])
    exponents = np.array([1.0, 1.8, 2.4])

    expected = seen(GRID, viewer.SRGB, lambda value: value**exponents)
    assert np.abs(converted(space) - expected).max() <= 1


def test_a_profile_is_small_and_named() -> None:
    profile = ADOBE_RGB.profile() or b""

    assert len(profile) < 600
    assert int.from_bytes(profile[:4]) == len(profile)
    read = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
    assert read.profile_description == "Adobe RGB (1998)"
    assert (read.version, read.device_class, read.xcolor_space) == (4.3, "mntr", "RGB ")


def test_srgb_needs_no_profile() -> None:
    assert from_code_points(1, 13) is SRGB
    assert SRGB.profile() is None
    assert SRGB.profile(grey=True) is None


@pytest.mark.parametrize("exponent", [1 / 0.45455, 2.2, 100_000 / 45_450])
def test_srgb_in_numbers_is_srgb(exponent: float) -> None:
    rounded = Chromaticities((0.31270, 0.32900), (0.64, 0.33), (0.30, 0.6001), (0.1499, 0.06))

    assert from_numbers(rounded, [(exponent,)]) is SRGB
    assert from_numbers(None, [(exponent,)]) is SRGB
    assert from_numbers(rounded, []) is SRGB


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_high_dynamic_range_is_refused_by_name(transfer: int, name: str) -> None:
    with pytest.raises(UnsupportedMedia, match=rf"high dynamic range \({name}\): export it first"):
        from_code_points(9, transfer)


@pytest.mark.parametrize("points", [(2, 2), (0, 13), (1, 3), (1, 0), (23, 13), (255, 255)])
def test_unspecified_and_reserved_code_points_state_nothing(points: tuple[int, int]) -> None:
    assert from_code_points(*points) is None


def test_one_unspecified_code_point_is_that_of_srgb() -> None:
    assert from_code_points(2, 13) is SRGB
    assert np.abs(converted(from_code_points(12, 2)) - seen(GRID, viewer.P3)).max() <= 1


NAN = float("nan")


@pytest.mark.parametrize(
    "points",
    [
        ((0, 0),) * 4,
        (D65,) * 4,
        (D65, (0.64, 0.33), (0.30, 0.60), (0.47, 0.465)),
        (D65, (0.15, 0.06), (0.30, 0.60), (0.14, 0.07)),
        ((NAN, 0.3), *viewer.SRGB[1:]),
        ((0.1, 0.8), *viewer.SRGB[1:]),
        ((0.3127, 0.0), *viewer.SRGB[1:]),
    ],
    ids=["zeros", "one point", "on a line", "white outside", "NaN", "green white", "no light"],
)
def test_points_that_no_light_has_state_nothing(points: Points) -> None:
    assert from_numbers(Chromaticities(*points), [(2.2,)]) is None


@pytest.mark.parametrize("curve", [(0.01,), (100.0,), (0.5,) * 256, (1.0, *(0.5,) * 254, 0.0)])
def test_a_curve_that_no_photo_has_states_nothing(curve: tuple[float, ...]) -> None:
    assert from_numbers(None, [curve]) is None
