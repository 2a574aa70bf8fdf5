"""Every kind of pixel Pillow can open becomes 8-bit RGB that looks the same, with its alpha."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from pipeline.errors import UnsupportedMedia
from pipeline.photo.pixels import decode
from tests.pipeline.photo.icc import colourless_press, linear_grey
from tests.pipeline.photo.pictures import RED, corners, exif, quadrants, saved

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PLUM = (120, 30, 60)


def plain(mode: str, colour: Any) -> Image.Image:
    return Image.new(mode, (5, 4), colour)


def palette(colour: tuple[int, ...]) -> Image.Image:
    return plain("RGBA" if len(colour) == 4 else "RGB", colour).quantize(4)


OPAQUE = {
    "one bit": (plain("1", 1), "PNG", (255, 255, 255)),
    "one bit TIFF": (plain("1", 0), "TIFF", (0, 0, 0)),
    "grey": (plain("L", 100), "PNG", (100, 100, 100)),
    "grey JPEG": (plain("L", 100), "JPEG", (100, 100, 100)),
    "palette": (palette(PLUM), "PNG", PLUM),
    "palette GIF": (palette(PLUM), "GIF", PLUM),
    "palette BMP": (palette(PLUM), "BMP", PLUM),
    "RGB": (plain("RGB", PLUM), "PNG", PLUM),
    "RGBX": (plain("RGBX", (*PLUM, 9)), "TIFF", PLUM),
    "CMYK JPEG": (plain("CMYK", (0, 255, 255, 0)), "JPEG", RED),
    "CMYK TIFF": (plain("CMYK", (0, 255, 255, 0)), "TIFF", RED),
    "YCbCr TIFF": (plain("RGB", PLUM).convert("YCbCr"), "TIFF", PLUM),
    "Lab TIFF, grey": (plain("LAB", (128, 128, 128)), "TIFF", (119, 119, 119)),
    "Lab TIFF, red": (plain("LAB", (138, 208, 195)), "TIFF", (252, 9, 10)),
}
WITH_ALPHA: dict[str, tuple[Image.Image, str, dict[str, Any], int]] = {
    "grey and alpha": (plain("LA", (100, 50)), "PNG", {}, 50),
    "palette, one index clear": (palette(PLUM), "PNG", {"transparency": 0}, 0),
    "palette, alpha per index": (palette(PLUM), "PNG", {"transparency": b"\x80"}, 128),
    "palette of RGBA": (palette((*PLUM, 9)), "PNG", {}, 9),
    "GIF, one index clear": (palette(PLUM), "GIF", {"transparency": 0}, 0),
    "RGBA": (plain("RGBA", (*PLUM, 70)), "PNG", {}, 70),
    "RGBA WebP": (plain("RGBA", (*PLUM, 70)), "WEBP", {}, 70),
    "RGBA TIFF": (plain("RGBA", (*PLUM, 70)), "TIFF", {}, 70),
    "RGB, one colour clear": (plain("RGB", PLUM), "PNG", {"transparency": PLUM}, 0),
    "RGB, another colour clear": (plain("RGB", PLUM), "PNG", {"transparency": RED}, 255),
    "grey, one level clear": (plain("L", 100), "PNG", {"transparency": 100}, 0),
}


@pytest.mark.parametrize("name", OPAQUE)
def test_opaque_pixels_keep_their_colour(name: str) -> None:
    image, picture_format, expected = OPAQUE[name]
    picture = decode(saved(image, picture_format))

    assert picture.alpha is None
    assert picture.rgb.shape == (4, 5, 3)
    assert picture.rgb[2, 2].tolist() == pytest.approx(expected, abs=3)


@pytest.mark.parametrize("name", WITH_ALPHA)
def test_pixels_with_alpha_keep_both(name: str) -> None:
    image, picture_format, options, alpha = WITH_ALPHA[name]
    picture = decode(saved(image, picture_format, **options))
    expected = (100, 100, 100) if image.mode in {"L", "LA"} else PLUM

    assert picture.alpha is not None
    assert picture.alpha.tolist() == [[alpha] * 5] * 4
    assert picture.rgb[2, 2].tolist() == list(expected)


DEEP = np.array([[0, 128, 0x8000, 0xFFFF]], dtype=np.uint16)


@pytest.mark.parametrize(
    ("dtype", "picture_format"), [("<u2", "PNG"), ("<u2", "TIFF"), (">u2", "TIFF"), ("i4", "TIFF")]
)
def test_sixteen_bit_grey_is_scaled_and_not_clipped(dtype: str, picture_format: str) -> None:
    picture = decode(saved(Image.fromarray(DEEP.astype(dtype)), picture_format))

    assert picture.rgb.tolist() == [[[0] * 3, [0] * 3, [128] * 3, [255] * 3]]
    assert picture.alpha is None


def test_sixteen_bit_grey_is_turned_upright() -> None:
    picture = decode(saved(Image.fromarray(DEEP), "PNG", exif=exif(6)))

    assert picture.rgb[:, 0, 0].tolist() == [0, 0, 128, 255]


@pytest.mark.parametrize(
    "values",
    [
        np.full((4, 5), 0.5, dtype=np.float32),
        np.full((4, 5), 0x10000, dtype=np.int32),
        np.full((4, 5), -1, dtype=np.int32),
    ],
    ids=["floating point", "deeper than 16 bits", "negative"],
)
def test_pixels_that_are_not_a_photo_are_refused(values: np.ndarray[Any, Any]) -> None:
    content = saved(Image.fromarray(values), "TIFF")

    with pytest.raises(UnsupportedMedia):
        decode(content)


@pytest.mark.parametrize("picture_format", ["JPEG", "TIFF"])
def test_cmyk_is_seen_through_its_profile(picture_format: str) -> None:
    cyan = plain("CMYK", (255, 0, 0, 0))
    picture = decode(saved(cyan, picture_format, icc_profile=colourless_press()))

    assert picture.rgb[2, 2].tolist() == pytest.approx((119, 119, 119), abs=1)
    assert picture.icc_profile is None


@pytest.mark.parametrize("image", [plain("L", 128), plain("LA", (128, 50))], ids=["L", "LA"])
def test_grey_is_seen_through_its_profile(image: Image.Image) -> None:
    picture = decode(saved(image, "PNG", icc_profile=linear_grey()))

    assert picture.rgb[2, 2].tolist() == [188, 188, 188]
    assert picture.icc_profile is None


@pytest.mark.parametrize("profile", [SRGB, b"no profile at all"], ids=["of RGB", "broken"])
@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_a_profile_that_does_not_fit_the_pixels_is_ignored(mode: str, profile: bytes) -> None:
    colour = {"CMYK": (0, 255, 255, 0), "L": 100}[mode]
    expected = {"CMYK": RED, "L": (100, 100, 100)}[mode]
    picture = decode(saved(plain(mode, colour), "TIFF", icc_profile=profile))

    assert picture.rgb[2, 2].tolist() == list(expected)
    assert picture.icc_profile is None


@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_rgb_is_left_as_it_is_and_keeps_its_profile(picture_format: str) -> None:
    picture = decode(saved(quadrants(), picture_format, icc_profile=SRGB))

    assert picture.icc_profile == SRGB
    assert corners(picture.rgb) == ["red", "green", "blue", "white"]
