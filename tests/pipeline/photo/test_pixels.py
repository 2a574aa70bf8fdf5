"""Every format comes out upright, and what is written comes back."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageCms

from pipeline.photo.pixels import Header, Pixels, decode, encode, probe
from tests.pipeline.photo.pictures import FAITHFULLY, corners, exif, quadrants, saved

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
    "GIF": "image/gif",
}
WITH_EXIF = ("JPEG", "PNG", "WEBP", "TIFF")
UPRIGHT = {
    1: ["red", "green", "blue", "white"],
    2: ["green", "red", "white", "blue"],
    3: ["white", "blue", "green", "red"],
    4: ["blue", "white", "red", "green"],
    5: ["red", "blue", "green", "white"],
    6: ["blue", "red", "white", "green"],
    7: ["white", "green", "blue", "red"],
    8: ["green", "white", "red", "blue"],
}
SIZES = dict.fromkeys((1, 2, 3, 4), (24, 16)) | dict.fromkeys((5, 6, 7, 8), (16, 24))
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("picture_format", FAITHFULLY)
def test_the_content_says_which_format_it_is(picture_format: str) -> None:
    content = saved(quadrants(), picture_format)

    assert Header(MEDIA_TYPES[picture_format], 24, 16) == probe(content)


@pytest.mark.parametrize("picture_format", FAITHFULLY)
def test_every_format_decodes_to_its_pixels(picture_format: str) -> None:
    picture = decode(saved(quadrants(), picture_format))

    assert picture.rgb.dtype == np.uint8
    assert picture.rgb.shape == (16, 24, 3)
    assert picture.alpha is None
    assert corners(picture.rgb) == UPRIGHT[1]


def test_a_progressive_jpeg_is_a_jpeg() -> None:
    content = saved(quadrants(), "JPEG", progressive=True)

    assert corners(decode(content).rgb) == UPRIGHT[1]


def test_a_big_endian_tiff_is_a_tiff() -> None:
    content = saved(Image.new("I;16B", (5, 4), 0xFFFF), "TIFF")

    assert content.startswith(b"MM")
    assert probe(content) == Header("image/tiff", 5, 4)


@pytest.mark.parametrize("picture_format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_an_animation_is_its_first_frame(picture_format: str) -> None:
    later = Image.new("RGB", (24, 16), "black")
    content = saved(quadrants(), picture_format, save_all=True, append_images=[later])

    assert corners(decode(content).rgb) == UPRIGHT[1]


@pytest.mark.parametrize("picture_format", WITH_EXIF)
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_photo_is_turned_upright(picture_format: str, orientation: int) -> None:
    content = saved(quadrants(), picture_format, exif=exif(orientation))

    assert corners(decode(content).rgb) == UPRIGHT[orientation]


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_jpeg_may_come_smaller_and_upright_all_the_same(orientation: int) -> None:
    large = quadrants().resize((240, 160), Image.Resampling.NEAREST)
    content = saved(large, "JPEG", exif=exif(orientation))

    smaller = decode(content, least_side=40).rgb

    assert smaller.shape[1::-1] == tuple(side * 10 // 4 for side in SIZES[orientation])
    assert corners(smaller) == UPRIGHT[orientation]


@pytest.mark.parametrize("picture_format", FAITHFULLY)
def test_no_side_comes_below_the_least_that_is_asked_for(picture_format: str) -> None:
    content = saved(quadrants(), picture_format)

    assert min(decode(content, least_side=9).rgb.shape[:2]) == 16


@pytest.mark.parametrize("picture_format", WITH_EXIF)
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_the_header_has_the_upright_size(picture_format: str, orientation: int) -> None:
    content = saved(quadrants(), picture_format, exif=exif(orientation))
    width, height = SIZES[orientation]

    assert probe(content) == Header(MEDIA_TYPES[picture_format], width, height)
    assert decode(content).rgb.shape == (height, width, 3)


def test_an_alpha_turns_with_its_colours() -> None:
    image = quadrants()
    image.putalpha(quadrants().getchannel("R"))
    picture = decode(saved(image, "PNG", exif=exif(6)))

    assert picture.alpha is not None
    assert np.array_equal(picture.rgb[..., 0], picture.alpha)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_nobody_defined_turns_nothing(orientation: int) -> None:
    content = saved(quadrants(), "JPEG", exif=exif(orientation))

    assert corners(decode(content).rgb) == UPRIGHT[1]
    assert probe(content) == Header("image/jpeg", 24, 16)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("block", [b"", b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\0\xff", b"\xff" * 9])
def test_a_broken_exif_block_is_no_reason_to_refuse(picture_format: str, block: bytes) -> None:
    content = saved(quadrants(), picture_format, exif=block)

    assert corners(decode(content).rgb) == UPRIGHT[1]
    assert probe(content) == Header(MEDIA_TYPES[picture_format], 24, 16)


@pytest.mark.parametrize("picture_format", ["png", "webp"])
def test_no_metadata_is_published(picture_format: str) -> None:
    content = saved(quadrants(), "JPEG", exif=exif(6), comment=b"at home")
    picture = decode(content)
    published = encode(picture.rgb, picture_format=picture_format, icc_profile=SRGB)

    assert b"the photographer" in content
    assert dict(Image.open(io.BytesIO(published)).getexif()) == {}
    assert b"the photographer" not in published
    assert b"at home" not in published


@pytest.mark.parametrize("picture_format", ["png", "webp"])
def test_rgb_keeps_its_colour_profile(picture_format: str) -> None:
    picture = decode(saved(quadrants(), "JPEG", icc_profile=SRGB))
    published = encode(picture.rgb, picture_format=picture_format, icc_profile=picture.icc_profile)

    assert picture.icc_profile == SRGB
    assert decode(published).icc_profile == SRGB


@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "TIFF", "BMP"])
def test_a_png_keeps_the_resolution_of_its_photo(picture_format: str) -> None:
    picture = decode(saved(quadrants(), picture_format, dpi=(300, 150)))
    published = encode(picture.rgb, picture_format="png", dpi=picture.dpi)

    assert picture.dpi == pytest.approx((300, 150), rel=1e-3)
    assert decode(published).dpi == pytest.approx((300, 150), rel=1e-3)


@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_photo_without_a_resolution_is_given_none(picture_format: str) -> None:
    assert decode(saved(quadrants(), picture_format)).dpi is None


pixels = arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(4)))


@settings(max_examples=60, deadline=None)
@given(pixels, st.sampled_from(["png", "webp"]))
def test_what_is_encoded_decodes_to_itself(rgba: Pixels, picture_format: str) -> None:
    picture = decode(encode(rgba, picture_format=picture_format))
    alpha = picture.alpha if picture.alpha is not None else np.full(picture.rgb.shape[:2], 255)
    visible = rgba[..., 3] > 0

    assert np.array_equal(alpha, rgba[..., 3])
    assert np.array_equal(picture.rgb[visible], rgba[visible, :3])


@pytest.mark.parametrize("picture_format", ["png", "webp"])
@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 3)])
def test_grey_and_rgb_are_encoded_without_loss(picture_format: str, shape: tuple[int, ...]) -> None:
    original = np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)
    content = encode(original, picture_format=picture_format)
    reread = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))

    assert np.array_equal(reread, np.broadcast_to(np.atleast_3d(original), (3, 5, 3)))


def test_what_an_alpha_hides_is_shown_on_white() -> None:
    rgba = np.array([[[200, 100, 0, 0], [200, 100, 0, 51], [200, 100, 0, 255]]], dtype=np.uint8)
    shown = decode(encode(rgba, picture_format="png")).on_white()

    assert shown.tolist() == [[[255, 255, 255], [244, 224, 204], [200, 100, 0]]]
