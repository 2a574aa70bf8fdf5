"""Encoded pictures keep pixels (PNG, WebP) or look alike (JPEG, AVIF), and no other metadata."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageCms

from pipeline.errors import MediaTooLarge
from pipeline.photo.encoding import encode
from pipeline.photo.pixels import Pixels, decode
from tests.pipeline.photo.pictures import exif, quadrants, saved

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

pixels = arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(4)))


@settings(max_examples=60)
@given(pixels, st.sampled_from(["png", "webp"]))
def test_what_is_encoded_decodes_to_the_same_pixels(rgba: Pixels, picture_format: str) -> None:
    photo = decode(encode(rgba, picture_format=picture_format))
    alpha = photo.alpha if photo.alpha is not None else np.full(photo.rgb.shape[:2], 255)
    visible = rgba[..., 3] > 0

    assert np.array_equal(alpha, rgba[..., 3])
    assert np.array_equal(photo.rgb[visible], rgba[visible, :3])


@pytest.mark.parametrize("picture_format", ["png", "webp"])
@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 3)])
def test_grey_and_rgb_are_encoded_without_loss(picture_format: str, shape: tuple[int, ...]) -> None:
    original = np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)
    content = encode(original, picture_format=picture_format)
    reread = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))

    assert np.array_equal(reread, np.broadcast_to(np.atleast_3d(original), (3, 5, 3)))


@pytest.mark.parametrize("picture_format", ["png", "webp"])
def test_effort_changes_the_size_of_the_file_and_not_its_pixels(picture_format: str) -> None:
    down, across = np.mgrid[:200, :300]
    original = np.dstack([down, across % 256, (down * across) % 251, down ^ across]).astype(
        np.uint8
    )
    original[..., 3] = np.maximum(original[..., 3], 1)

    fast, small = (
        encode(original, picture_format=picture_format, effort=effort, icc_profile=SRGB)
        for effort in ("fast", "small")
    )

    assert len(small) < len(fast)
    for content in (fast, small):
        with Image.open(io.BytesIO(content)) as image:
            np.testing.assert_array_equal(np.asarray(image), original)
            assert image.info["icc_profile"] == SRGB


@pytest.mark.parametrize("picture_format", ["png", "webp", "jpeg", "avif"])
def test_the_metadata_of_a_photo_is_not_published(picture_format: str) -> None:
    content = saved(quadrants(), "JPEG", exif=exif(6), comment=b"at home")
    photo = decode(content)
    published = encode(photo.rgb, picture_format=picture_format, icc_profile=SRGB)

    assert b"the photographer" in content
    assert dict(Image.open(io.BytesIO(published)).getexif()) == {}
    assert b"the photographer" not in published
    assert b"at home" not in published


@pytest.mark.parametrize("picture_format", ["png", "webp", "jpeg", "avif"])
def test_a_profile_survives_decoding_and_encoding(picture_format: str) -> None:
    photo = decode(saved(quadrants(), "JPEG", icc_profile=SRGB))
    published = encode(photo.rgb, picture_format=picture_format, icc_profile=photo.icc_profile)

    assert photo.icc_profile == SRGB
    with Image.open(io.BytesIO(published)) as image:
        assert image.info["icc_profile"] == SRGB


@pytest.mark.parametrize(
    ("picture_format", "effort"), [("png", "fast"), ("png", "small"), ("jpeg", "fast")]
)
@pytest.mark.parametrize("source_format", ["JPEG", "PNG", "TIFF", "BMP"])
def test_png_and_jpeg_keep_the_resolution_of_their_photo(
    source_format: str, picture_format: str, effort: str
) -> None:
    photo = decode(saved(quadrants(), source_format, dpi=(300, 150)))
    published = encode(photo.rgb, picture_format=picture_format, effort=effort, dpi=photo.dpi)

    assert photo.dpi == pytest.approx((300, 150), rel=1e-3)
    assert decode(published).dpi == pytest.approx((300, 150), rel=1e-3)


def test_a_resolution_that_no_jpeg_can_state_is_left_out() -> None:
    published = encode(np.zeros((8, 8, 3), np.uint8), picture_format="jpeg", dpi=(9e4, 9e4))

    assert "dpi" not in Image.open(io.BytesIO(published)).info


def painting(*, grain: float) -> Pixels:
    """Smooth colours with a hard vertical edge, and the grain of a camera."""
    down, across = np.mgrid[:240, :320]
    colours = np.dstack([across * 0.7, down, 255 - across * 0.7])
    colours[:, 161:] = colours[:, 161:, ::-1] * 0.5
    noise = np.random.default_rng(3).normal(0, grain, colours.shape)
    painted: Pixels = np.clip(colours + noise, 0, 255).astype(np.uint8)
    return painted


def oval() -> Pixels:
    """A soft alpha: 0 around an oval of 255."""
    down, across = np.mgrid[:240, :320]
    distance = np.hypot((across - 160) / 140, (down - 120) / 100)
    alpha: Pixels = (np.clip((1 - distance) * 12, 0, 1) * 255).astype(np.uint8)
    return alpha


@pytest.mark.parametrize("picture_format", ["jpeg", "avif"])
@pytest.mark.parametrize(("grain", "most"), [(0, 1), (3, 2.5)])
def test_formats_that_lose_colours_lose_little(
    picture_format: str, grain: float, most: float
) -> None:
    original = painting(grain=grain)
    content = encode(original, picture_format=picture_format)
    with Image.open(io.BytesIO(content)) as image:
        assert image.get_format_mimetype() == f"image/{picture_format}"
        assert image.mode == "RGB"
        differences = np.abs(np.asarray(image).astype(float) - original)

    assert differences.mean() < most


@pytest.mark.parametrize("picture_format", ["jpeg", "avif"])
@pytest.mark.parametrize("effort", ["fast", "small"])
def test_formats_that_lose_colours_keep_the_colour_of_each_pixel(
    picture_format: str, effort: str
) -> None:
    # Red and blue of one brightness: at half the colours' resolution, all pixels become purple.
    board = np.indices((64, 64)).sum(axis=0) % 2 == 0
    original = np.where(board[..., None], [230, 30, 30], [0, 117, 255]).astype(np.uint8)

    content = encode(original, picture_format=picture_format, effort=effort)

    differences = np.abs(decode(content).rgb.astype(float) - original)
    assert differences.mean() < 5


@pytest.mark.parametrize("effort", ["fast", "small"])
def test_avif_keeps_alpha_exactly(effort: str) -> None:
    alpha = oval()
    rgba = np.dstack([painting(grain=6), alpha])
    rgba[alpha == 0] = 0

    content = encode(rgba, picture_format="avif", effort=effort, icc_profile=SRGB)

    with Image.open(io.BytesIO(content)) as image:
        reread = np.asarray(image).astype(float)
        assert image.info["icc_profile"] == SRGB
    np.testing.assert_array_equal(reread[..., 3], alpha)
    shown = (reread[..., :3] - rgba[..., :3]) * alpha[..., None] / 255
    assert np.abs(shown).mean() < 3
    assert content == encode(rgba, picture_format="avif", effort=effort, icc_profile=SRGB)


def test_a_smaller_avif_takes_more_effort() -> None:
    rgb = painting(grain=6)

    fast, small = (
        encode(rgb, picture_format="avif", effort=effort) for effort in ("fast", "small")
    )

    assert len(small) < len(fast) < len(encode(rgb, picture_format="png")) / 3


def test_the_noisiest_photo_is_a_jpeg_at_any_effort() -> None:
    noise = np.random.default_rng(5).integers(0, 256, (500, 700, 3), dtype=np.uint8)

    fast, small = (
        encode(noise, picture_format="jpeg", effort=effort) for effort in ("fast", "small")
    )

    assert fast == small
    assert decode(fast).rgb.shape == noise.shape


@pytest.mark.parametrize(
    ("picture_format", "side", "name"),
    [("webp", 16_383, "WebP"), ("jpeg", 65_500, "JPEG"), ("avif", 32_768, "AVIF")],
)
def test_a_picture_wider_than_its_format_allows_is_refused(
    picture_format: str, side: int, name: str
) -> None:
    content = encode(np.zeros((1, side, 3), np.uint8), picture_format=picture_format)

    assert Image.open(io.BytesIO(content)).size == (side, 1)
    with pytest.raises(
        MediaTooLarge, match=f"{name} of {side + 1} × 1 pixels; the limit is {side:,} on a side"
    ):
        encode(np.zeros((1, side + 1, 3), np.uint8), picture_format=picture_format)


def test_an_avif_of_too_many_pixels_is_refused() -> None:
    vast = np.broadcast_to(np.zeros(3, np.uint8), (7_072, 7_072, 3))

    with pytest.raises(MediaTooLarge, match="the limit is 50,000,000 in total: set a size"):
        encode(vast, picture_format="avif")
