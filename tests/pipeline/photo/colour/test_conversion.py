"""Pixels of every mode become 8-bit RGB of the same colour, with their alpha."""

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
    "palette, one index transparent": (palette(PLUM), "PNG", {"transparency": 0}, 0),
    "palette, alpha per index": (palette(PLUM), "PNG", {"transparency": b"\x80"}, 128),
    "palette of RGBA": (palette((*PLUM, 9)), "PNG", {}, 9),
    "GIF, one index transparent": (palette(PLUM), "GIF", {"transparency": 0}, 0),
    "RGBA": (plain("RGBA", (*PLUM, 70)), "PNG", {}, 70),
    "RGBA WebP": (plain("RGBA", (*PLUM, 70)), "WEBP", {}, 70),
    "RGBA TIFF": (plain("RGBA", (*PLUM, 70)), "TIFF", {}, 70),
    "RGB, one colour transparent": (plain("RGB", PLUM), "PNG", {"transparency": PLUM}, 0),
    "RGB, another colour transparent": (plain("RGB", PLUM), "PNG", {"transparency": RED}, 255),
    "grey, one level transparent": (plain("L", 100), "PNG", {"transparency": 100}, 0),
}


@pytest.mark.parametrize("name", OPAQUE)
def test_opaque_pixels_keep_their_colour(name: str) -> None:
    image, picture_format, expected = OPAQUE[name]
    photo = decode(saved(image, picture_format))

    assert photo.alpha is None
    assert photo.rgb.shape == (4, 5, 3)
    assert photo.rgb[2, 2].tolist() == pytest.approx(expected, abs=3)


@pytest.mark.parametrize("name", WITH_ALPHA)
def test_pixels_with_alpha_keep_both(name: str) -> None:
    image, picture_format, options, alpha = WITH_ALPHA[name]
    photo = decode(saved(image, picture_format, **options))
    expected = (100, 100, 100) if image.mode in {"L", "LA"} else PLUM

    assert photo.alpha is not None
    assert photo.alpha.tolist() == [[alpha] * 5] * 4
    assert photo.rgb[2, 2].tolist() == list(expected)


DEEP = np.array([[0, 128, 0x8000, 0xFFFF]], dtype=np.uint16)


@pytest.mark.parametrize(
    ("dtype", "picture_format"), [("<u2", "PNG"), ("<u2", "TIFF"), (">u2", "TIFF"), ("i4", "TIFF")]
)
def test_16_bit_grey_is_scaled_and_not_clipped(dtype: str, picture_format: str) -> None:
    photo = decode(saved(Image.fromarray(DEEP.astype(dtype)), picture_format))

    assert photo.rgb.tolist() == [[[0] * 3, [0] * 3, [128] * 3, [255] * 3]]
    assert photo.alpha is None


def test_16_bit_grey_is_turned_upright() -> None:
    photo = decode(saved(Image.fromarray(DEEP), "PNG", exif=exif(6)))

    assert photo.rgb[:, 0, 0].tolist() == [0, 0, 128, 255]


@pytest.mark.parametrize(
    ("level", "message"),
    [
        (np.float32(0.5), "unsupported pixel format: floating point"),
        (np.int32(0x10000), "grey levels from 65536 to 65536; the limits are 0 and 65535"),
        (np.int32(-1), "grey levels from -1 to -1; the limits are 0 and 65535"),
    ],
    ids=["floating point", "more than 16 bits", "negative"],
)
def test_levels_that_do_not_fit_16_bits_are_unsupported(level: Any, message: str) -> None:
    content = saved(Image.fromarray(np.full((4, 5), level)), "TIFF")

    with pytest.raises(UnsupportedMedia, match=message):
        decode(content)


@pytest.mark.parametrize("picture_format", ["JPEG", "TIFF"])
def test_cmyk_is_converted_through_its_profile(picture_format: str) -> None:
    cyan = plain("CMYK", (255, 0, 0, 0))
    photo = decode(saved(cyan, picture_format, icc_profile=colourless_press()))

    assert photo.rgb[2, 2].tolist() == pytest.approx((119, 119, 119), abs=1)
    assert photo.icc_profile is None


@pytest.mark.parametrize("image", [plain("L", 128), plain("LA", (128, 50))], ids=["L", "LA"])
def test_grey_is_converted_through_its_profile(image: Image.Image) -> None:
    photo = decode(saved(image, "PNG", icc_profile=linear_grey()))

    assert photo.rgb[2, 2].tolist() == [188, 188, 188]
    assert photo.icc_profile is None


@pytest.mark.parametrize("profile", [SRGB, b"no profile at all"], ids=["of RGB", "broken"])
@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_a_profile_of_another_colour_space_is_ignored(mode: str, profile: bytes) -> None:
    colour = {"CMYK": (0, 255, 255, 0), "L": 100}[mode]
    expected = {"CMYK": RED, "L": (100, 100, 100)}[mode]
    photo = decode(saved(plain(mode, colour), "TIFF", icc_profile=profile))

    assert photo.rgb[2, 2].tolist() == list(expected)
    assert photo.icc_profile is None


@pytest.mark.parametrize("profile", [linear_grey(), colourless_press()], ids=["grey", "CMYK"])
def test_rgb_drops_a_profile_of_another_colour_space(profile: bytes) -> None:
    photo = decode(saved(quadrants(), "TIFF", icc_profile=profile))

    assert photo.icc_profile is None
    assert corners(photo.rgb) == ["red", "green", "blue", "white"]


@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_rgb_is_unchanged_and_keeps_its_profile(picture_format: str) -> None:
    photo = decode(saved(quadrants(), picture_format, icc_profile=SRGB))

    assert photo.icc_profile == SRGB
    assert corners(photo.rgb) == ["red", "green", "blue", "white"]


@pytest.mark.parametrize(
    "profile", [b"x" * 200, b"", b"12 Garden Lane"], ids=["noise", "nothing", "a secret"]
)
def test_bytes_that_are_not_a_profile_are_dropped(profile: bytes) -> None:
    assert decode(saved(quadrants(), "JPEG", icc_profile=profile)).icc_profile is None
