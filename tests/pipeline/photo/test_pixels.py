"""Photos of every format decode to upright pixels; damaged ones raise a named error."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import CorruptMedia, OutOfMemory
from pipeline.photo.encoding import encode
from pipeline.photo.pixels import decode, probe
from tests.pipeline.photo.handmade import png
from tests.pipeline.photo.pictures import FAITHFULLY, corners, exif, noise, quadrants, saved

WITH_EXIF = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIC")
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


@pytest.mark.parametrize("picture_format", FAITHFULLY)
def test_every_format_decodes_to_its_pixels(picture_format: str) -> None:
    photo = decode(saved(quadrants(), picture_format))

    assert photo.rgb.dtype == np.uint8
    assert photo.rgb.shape == (16, 24, 3)
    assert photo.alpha is None
    assert corners(photo.rgb) == UPRIGHT[1]


@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_file_without_a_resolution_has_no_dpi(picture_format: str) -> None:
    assert decode(saved(quadrants(), picture_format)).dpi is None


def test_a_progressive_jpeg_is_decoded() -> None:
    content = saved(quadrants(), "JPEG", progressive=True)

    assert corners(decode(content).rgb) == UPRIGHT[1]


@pytest.mark.parametrize("picture_format", ["GIF", "WEBP", "PNG", "TIFF", "AVIF", "HEIC"])
def test_the_first_frame_of_an_animation_is_decoded(picture_format: str) -> None:
    later = Image.new("RGB", (24, 16), "black")
    content = saved(quadrants(), picture_format, save_all=True, append_images=[later])

    assert corners(decode(content).rgb) == UPRIGHT[1]


@pytest.mark.parametrize("picture_format", WITH_EXIF)
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_the_exif_orientation_is_applied(picture_format: str, orientation: int) -> None:
    content = saved(quadrants(), picture_format, exif=exif(orientation))
    header, photo = probe(content), decode(content)

    assert corners(photo.rgb) == UPRIGHT[orientation]
    assert photo.rgb.shape[1::-1] == SIZES[orientation]
    assert (header.width, header.height) == SIZES[orientation]


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_jpeg_decoded_at_a_smaller_size_is_upright(orientation: int) -> None:
    large = quadrants().resize((240, 160), Image.Resampling.NEAREST)
    content = saved(large, "JPEG", exif=exif(orientation))

    smaller = decode(content, least_side=40).rgb

    assert smaller.shape[1::-1] == tuple(side * 10 // 4 for side in SIZES[orientation])
    assert corners(smaller) == UPRIGHT[orientation]


@pytest.mark.parametrize("picture_format", FAITHFULLY)
def test_no_side_is_shorter_than_the_least_side(picture_format: str) -> None:
    content = saved(quadrants(), picture_format)

    assert min(decode(content, least_side=9).rgb.shape[:2]) == 16


def test_alpha_is_turned_with_the_colours() -> None:
    image = quadrants()
    image.putalpha(quadrants().getchannel("R"))
    photo = decode(saved(image, "PNG", exif=exif(6)))

    assert photo.alpha is not None
    assert np.array_equal(photo.rgb[..., 0], photo.alpha)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_undefined_orientation_is_ignored(orientation: int) -> None:
    content = saved(quadrants(), "JPEG", exif=exif(orientation))

    assert corners(decode(content).rgb) == UPRIGHT[1]
    assert probe(content).width == 24


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("block", [b"", b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\0\xff", b"\xff" * 9])
def test_a_damaged_exif_block_is_ignored(picture_format: str, block: bytes) -> None:
    content = saved(quadrants(), picture_format, exif=block)

    assert corners(decode(content).rgb) == UPRIGHT[1]
    assert probe(content).width == 24


def test_transparent_pixels_are_shown_on_white() -> None:
    rgba = np.array([[[200, 100, 0, 0], [200, 100, 0, 51], [200, 100, 0, 255]]], dtype=np.uint8)
    shown = decode(encode(rgba, picture_format="png")).on_white()

    assert shown.tolist() == [[[255, 255, 255], [244, 224, 204], [200, 100, 0]]]


@pytest.mark.parametrize("picture_format", FAITHFULLY)
def test_a_file_cut_short_is_corrupt(picture_format: str) -> None:
    content = saved(noise(), picture_format)

    with pytest.raises(CorruptMedia, match=f"damaged ({picture_format}|HEIF): "):
        decode(content[: len(content) // 2])


@pytest.mark.parametrize("signature", [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF89a"])
def test_a_signature_without_a_header_is_corrupt(signature: bytes) -> None:
    with pytest.raises(CorruptMedia, match=r"damaged [A-Z]+: the header cannot be read"):
        probe(signature)


@pytest.mark.parametrize(
    "fault",
    [OSError, SyntaxError, ValueError, TypeError, EOFError, IndexError, KeyError, OverflowError,
     AttributeError, struct.error, zlib.error],
)  # fmt: skip
def test_an_exception_of_the_decoder_is_corrupt(
    monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    def fail(_image: Image.Image) -> None:
        raise fault("it broke")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", fail)
    with pytest.raises(CorruptMedia, match=r"damaged PNG: .*it broke"):
        decode(png())


def test_a_decoder_without_memory_is_out_of_memory_and_not_corrupt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def starve(_image: Image.Image) -> None:
        raise OSError("out of memory error when reading image file")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", starve)
    with pytest.raises(OutOfMemory, match="no memory left to decode the PNG: out of memory"):
        decode(png())


def test_memory_is_reserved_before_a_pixel_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)

    def refuse(wanted: int) -> None:
        raise OutOfMemory(f"{wanted} bytes")

    with pytest.raises(OutOfMemory):
        decode(png(), reserve=refuse)
