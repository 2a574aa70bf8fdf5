"""Encoded pictures are lossless, keep profile and resolution, and no other metadata."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageCms

from pipeline.errors import MediaTooLarge
from pipeline.photo.pixels import Pixels, decode, encode
from tests.pipeline.photo.pictures import exif, quadrants, saved

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

pixels = arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(4)))


@settings(max_examples=60, deadline=None)
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


@pytest.mark.parametrize("picture_format", ["png", "webp"])
def test_the_metadata_of_a_photo_is_not_published(picture_format: str) -> None:
    content = saved(quadrants(), "JPEG", exif=exif(6), comment=b"at home")
    photo = decode(content)
    published = encode(photo.rgb, picture_format=picture_format, icc_profile=SRGB)

    assert b"the photographer" in content
    assert dict(Image.open(io.BytesIO(published)).getexif()) == {}
    assert b"the photographer" not in published
    assert b"at home" not in published


@pytest.mark.parametrize("picture_format", ["png", "webp"])
def test_a_profile_survives_decoding_and_encoding(picture_format: str) -> None:
    photo = decode(saved(quadrants(), "JPEG", icc_profile=SRGB))
    published = encode(photo.rgb, picture_format=picture_format, icc_profile=photo.icc_profile)

    assert photo.icc_profile == SRGB
    assert decode(published).icc_profile == SRGB


@pytest.mark.parametrize("effort", ["fast", "small"])
@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "TIFF", "BMP"])
def test_a_png_keeps_the_resolution_of_its_photo(picture_format: str, effort: str) -> None:
    photo = decode(saved(quadrants(), picture_format, dpi=(300, 150)))
    published = encode(photo.rgb, picture_format="png", effort=effort, dpi=photo.dpi)

    assert photo.dpi == pytest.approx((300, 150), rel=1e-3)
    assert decode(published).dpi == pytest.approx((300, 150), rel=1e-3)


def test_a_picture_wider_than_webp_allows_is_refused() -> None:
    assert encode(np.zeros((1, 16_383, 3), np.uint8), picture_format="webp")
    with pytest.raises(MediaTooLarge, match="WebP of 16384 × 1 pixels; the limit is 16,383"):
        encode(np.zeros((1, 16_384, 3), np.uint8), picture_format="webp")
