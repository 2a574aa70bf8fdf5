"""PNG: the decoder gets the chunks its pixels need, counted; missing rows are CorruptMedia."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import CorruptMedia, MediaTooLarge
from pipeline.photo import limits
from pipeline.photo import png as png_format
from pipeline.photo.pixels import decode, probe
from tests.pipeline.photo.handmade import chunk, interlaced_png, png, rows
from tests.pipeline.photo.pictures import exif, noise, quadrants, saved

SECRET = b"12 Garden Lane"
NOISE = np.array(noise())


def exif_chunk(orientation: int) -> bytes:
    return chunk(b"eXIf", exif(orientation).tobytes().removeprefix(b"Exif\0\0"))


@pytest.mark.parametrize(
    "content",
    [
        png(before=chunk(b"tEXt", b"a\0" + SECRET)),
        png(after=chunk(b"tEXt", b"a\0" + SECRET)),
        png(before=chunk(b"prVt", SECRET)),
        png() + SECRET,
    ],
    ids=["text", "text after the pixels", "private chunk", "after the end"],
)
def test_the_decoder_gets_only_what_the_pixels_need(content: bytes) -> None:
    assert SECRET not in png_format.prepare(content)
    assert decode(content).rgb.shape == (64, 96, 3)


@pytest.mark.parametrize(("orientation", "size"), [(1, (96, 64)), (3, (96, 64)), (6, (64, 96))])
def test_an_orientation_after_the_pixels_is_applied(
    orientation: int, size: tuple[int, int]
) -> None:
    content = png(after=exif_chunk(orientation))
    header, photo = probe(content), decode(content)

    assert (header.width, header.height) == size
    assert photo.rgb.shape == (size[1], size[0], 3)


def test_exif_above_the_limit_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png_format, "MAX_EXIF_BYTES", 20)

    assert probe(png(before=exif_chunk(6))).width == 96  # not turned


def test_a_profile_that_unpacks_beyond_the_limit_is_refused() -> None:
    bomb = chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(limits.MAX_PROFILE_BYTES + 1)))
    most = chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(limits.MAX_PROFILE_BYTES)))

    with pytest.raises(MediaTooLarge, match="colour profile of more than 1,048,576 bytes"):
        probe(png(before=bomb))
    assert probe(png(before=most)).width == 96


def test_a_profile_that_cannot_be_unpacked_is_ignored() -> None:
    photo = decode(png(before=chunk(b"iCCP", b"a\0\0not deflated")))

    assert photo.icc_profile is None
    assert photo.rgb.shape == (64, 96, 3)


def test_chunks_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_PARTS", 8)

    with pytest.raises(MediaTooLarge, match="more than 8 PNG chunks"):
        probe(png(before=chunk(b"abCd", b"") * 9))


@pytest.mark.parametrize("level", [0, 9])
def test_a_photo_whose_last_rows_are_black_is_complete(level: int) -> None:
    pixels = NOISE.copy()
    pixels[40:] = level
    for content in (saved(Image.fromarray(pixels), "PNG"), interlaced_png(pixels)):
        np.testing.assert_array_equal(decode(content).rgb, pixels)


@pytest.mark.parametrize(
    "content",
    [
        png(idat=zlib.compress(rows(NOISE[:-1]))),
        interlaced_png(NOISE, passes=6),
        interlaced_png(NOISE[:-1], passes=6),
    ],
    ids=["one row", "one pass", "one pass, but no pixel of the last row"],
)
def test_a_photo_with_rows_missing_is_corrupt(content: bytes) -> None:
    with pytest.raises(CorruptMedia, match="damaged PNG: the last rows are missing"):
        decode(content)


def test_a_wrong_checksum_is_corrupt() -> None:
    content = saved(quadrants(), "PNG")
    at = content.index(b"IDAT") + 6

    with pytest.raises(CorruptMedia, match="damaged PNG: "):
        decode(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("channels", [3, 4])
def test_a_file_that_goes_on_in_zeros_is_corrupt(channels: int, share: float) -> None:
    content = saved(noise(channels=channels), "PNG")
    arrived = round(len(content) * share)

    with pytest.raises(CorruptMedia, match="the checksum of its pixels is wrong"):
        decode(content[:arrived] + bytes(len(content) - arrived))


def test_a_header_is_read_without_decoding_the_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[Image.Image] = []

    def load(image: Image.Image) -> None:
        decoded.append(image)

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)

    assert probe(png()).width == 96
    assert decoded == []
