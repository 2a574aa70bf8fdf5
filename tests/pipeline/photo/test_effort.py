"""Effort changes the size of a file and nothing else."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from pipeline.photo.pixels import encode

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("picture_format", ["png", "webp"])
def test_effort_packs_the_same_pixels_tighter(picture_format: str) -> None:
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


def test_a_tightly_packed_png_keeps_its_resolution() -> None:
    pixels = np.zeros((5, 5, 3), dtype=np.uint8)

    with Image.open(
        io.BytesIO(encode(pixels, picture_format="png", effort="small", dpi=(300, 300)))
    ) as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
