"""What a decoder is given of a file: its pixels' parts, counted, and nothing else."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import CorruptMedia, MediaTooLarge, OutOfMemory, UnsupportedMedia
from pipeline.photo import limits
from pipeline.photo.parts import trim
from pipeline.photo.pixels import decode, encode, probe
from tests.hostile.chunks import (
    chunk,
    interlaced_png,
    png,
    rows,
    tiff,
    tiff_entries,
    webp_canvas,
)
from tests.pipeline.photo.pictures import corners, exif, quadrants, saved

SECRET = b"12 Garden Lane"
NOISE = np.random.default_rng(5).integers(0, 256, (64, 96, 3), dtype=np.uint8)


def jpeg(**options: Any) -> bytes:
    return saved(quadrants(), "JPEG", **options)


@pytest.mark.parametrize(
    "content",
    [
        jpeg(comment=SECRET),
        jpeg()[:2] + b"\xff\xe1\0\x12" + SECRET.ljust(16) + jpeg()[2:],
        jpeg()[:20] + SECRET + jpeg()[20:],
        jpeg() + SECRET,
    ],
    ids=["comment", "unknown segment", "between segments", "behind the end"],
)
def test_a_jpegs_decoder_sees_no_more_than_its_pixels_need(content: bytes) -> None:
    lean = trim(content, "JPEG")

    assert SECRET in content
    assert SECRET not in lean
    assert corners(decode(content).rgb) == ["red", "green", "blue", "white"]


@pytest.mark.parametrize(
    "content",
    [
        png(before=chunk(b"tEXt", b"a\0" + SECRET)),
        png(after=chunk(b"tEXt", b"a\0" + SECRET)),
        png(before=chunk(b"prVt", SECRET)),
        png() + SECRET,
    ],
    ids=["text", "text after the pixels", "private chunk", "behind the end"],
)
def test_a_pngs_decoder_sees_no_more_than_its_pixels_need(content: bytes) -> None:
    assert SECRET not in trim(content, "PNG")
    assert decode(content).rgb.shape == (64, 96, 3)


def test_orientation_profile_and_resolution_stay() -> None:
    profile = b"a profile, or so it says"
    lean = trim(jpeg(exif=exif(6), icc_profile=profile, dpi=(300, 300)), "JPEG")

    with Image.open(io.BytesIO(lean)) as image:
        assert (image.getexif()[0x0112], image.info["icc_profile"]) == (6, profile)
        assert image.info["dpi"] == (300, 300)


def test_a_text_bomb_is_never_unpacked() -> None:
    bomb = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**22)))

    assert decode(png(before=bomb)).rgb.shape == (64, 96, 3)


def test_a_profile_bomb_is_refused() -> None:
    bomb = chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(limits.MOST_PROFILE_BYTES + 1)))
    most = chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(limits.MOST_PROFILE_BYTES)))

    with pytest.raises(MediaTooLarge, match="colour profile"):
        probe(png(before=bomb))
    assert probe(png(before=most)).width == 96


@pytest.mark.parametrize(
    ("name", "content"),
    [("PNG", png(before=chunk(b"abCd", b"") * 9)), ("JPEG", jpeg(progressive=True))],
)
def test_parts_are_counted(monkeypatch: pytest.MonkeyPatch, name: str, content: bytes) -> None:
    monkeypatch.setattr(limits, "MOST_PARTS", 8)

    with pytest.raises(MediaTooLarge, match="more than 8"):
        trim(content, name)


def test_a_jpeg_has_as_many_scans_as_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    content = jpeg(progressive=True)
    scans = content.count(b"\xff\xda")
    monkeypatch.setattr("pipeline.photo.jpeg.MOST_SCANS", scans)
    assert probe(content).width == 24

    monkeypatch.setattr("pipeline.photo.jpeg.MOST_SCANS", scans - 1)
    with pytest.raises(MediaTooLarge, match="scans"):
        probe(content)


@pytest.mark.parametrize(("frame", "depth"), [(0xC3, 8), (0xC0, 12)], ids=["lossless", "12 bits"])
def test_a_coding_nobody_reads_is_unsupported_and_not_corrupt(frame: int, depth: int) -> None:
    content = bytearray(jpeg())
    at = content.index(b"\xff\xc0")
    content[at + 1], content[at + 4] = frame, depth

    with pytest.raises(UnsupportedMedia, match="12-bit"):
        probe(bytes(content))


@pytest.mark.parametrize("side", [10_001, 2**24])
def test_a_webps_canvas_is_measured_before_room_is_made_for_it(side: int) -> None:
    still = saved(quadrants(), "WEBP")

    with pytest.raises(MediaTooLarge, match=f"{side} × {side} pixels"):
        probe(webp_canvas(side, side, still))


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiffs_tiles_are_measured_like_a_picture(order: str) -> None:
    tiles = tiff_entries(0, t322=(4, [20_000]), t323=(4, [20_000]), t324=(4, [-1]), t325=(4, [9]))

    with pytest.raises(MediaTooLarge, match="20000 × 20000"):
        probe(tiff(tiles, bytes(9), order=order))


def test_a_tiffs_strips_and_tags_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    strips = tiff_entries(9, t273=(4, [8] * 20), t279=(4, [0] * 20))
    monkeypatch.setattr("pipeline.photo.tiff.MOST_STRIPS", 19)
    with pytest.raises(MediaTooLarge, match="strips"):
        probe(tiff(strips, b""))

    many = b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0" + struct.pack("<Q", 2**40) + bytes(400)
    with pytest.raises(MediaTooLarge, match="tags"):
        probe(many)


def test_no_side_is_longer_than_a_jpeg_can_say() -> None:
    content = saved(Image.new("1", (65_536, 1)), "PNG")

    with pytest.raises(MediaTooLarge, match="on a side"):
        probe(content)
    assert probe(saved(Image.new("1", (65_535, 1)), "PNG")).width == 65_535


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("least_side", [None, 20])
def test_a_jpeg_cut_short_and_closed_again_is_corrupt(mode: str, least_side: int | None) -> None:
    whole = saved(Image.fromarray(NOISE).convert(mode), "JPEG")

    with pytest.raises(CorruptMedia, match="last rows are missing"):
        decode(whole[: len(whole) // 2] + b"\xff\xd9", least_side=least_side)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_photo_that_ends_in_middle_grey_is_whole(mode: str) -> None:
    pixels = NOISE.copy()
    pixels[40:] = 128

    assert decode(saved(Image.fromarray(pixels).convert(mode), "JPEG")).rgb.shape == (64, 96, 3)


@pytest.mark.parametrize("level", [0, 9])
def test_a_png_whose_last_rows_are_black_is_whole(level: int) -> None:
    pixels = NOISE.copy()
    pixels[40:] = level
    for content in (saved(Image.fromarray(pixels), "PNG"), interlaced_png(pixels)):
        np.testing.assert_array_equal(decode(content).rgb, pixels)


@pytest.mark.parametrize("missing", [1, 30])
def test_a_png_with_rows_missing_is_corrupt(missing: int) -> None:
    short = zlib.compress(rows(NOISE[:-missing]))

    with pytest.raises(CorruptMedia, match="last rows are missing"):
        decode(png(idat=short))


def test_a_png_with_passes_missing_is_corrupt() -> None:
    with pytest.raises(CorruptMedia, match="last rows are missing"):
        decode(interlaced_png(NOISE, passes=6))


@pytest.mark.parametrize("profile", [b"x" * 200, b"", SECRET], ids=["noise", "none", "a secret"])
def test_what_is_no_profile_is_not_passed_on(profile: bytes) -> None:
    assert decode(jpeg(icc_profile=profile)).icc_profile is None


def test_a_decoder_without_memory_is_not_called_a_broken_photo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def starve(_image: Image.Image) -> None:
        raise OSError("out of memory error when reading image file")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", starve)
    with pytest.raises(OutOfMemory):
        decode(jpeg())


def test_memory_is_reserved_before_a_pixel_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)

    def refuse(wanted: int) -> None:
        raise OutOfMemory(f"{wanted} bytes")

    with pytest.raises(OutOfMemory):
        decode(png(), reserve=refuse)


def test_a_picture_wider_than_a_webp_may_be_is_refused_by_name() -> None:
    assert encode(np.zeros((1, 16_383, 3), np.uint8), picture_format="webp")
    with pytest.raises(MediaTooLarge, match="WebP"):
        encode(np.zeros((1, 16_384, 3), np.uint8), picture_format="webp")
