"""A PNG's numbers mean the colours that its chunks state, in the standard's order."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from pipeline.errors import UnsupportedMedia
from pipeline.photo.colour.spaces import ADOBE_RGB
from pipeline.photo.encoding import encode
from pipeline.photo.pixels import decode, probe
from tests.pipeline.photo import viewer
from tests.pipeline.photo.handmade import PNG, chunk, header, png, rows
from tests.pipeline.photo.icc import linear_grey
from tests.pipeline.photo.pictures import exif, noise, saved
from tests.pipeline.photo.viewer import power, seen

DRAWN = np.array(noise())
ADOBE_ICC = ADOBE_RGB.profile() or b""


def cicp(primaries: int, transfer: int, matrix: int = 0, full_range: int = 1) -> bytes:
    return chunk(b"cICP", bytes([primaries, transfer, matrix, full_range]))


def gama(gamma: int) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", gamma))


def chrm(points: viewer.Points) -> bytes:
    numbers = (round(number * 100_000) for point in points for number in point)
    return chunk(b"cHRM", struct.pack(">8I", *numbers))


def iccp(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"a\0\0" + zlib.compress(profile))


SRGB_CHUNK = chunk(b"sRGB", b"\0")
P3, LINEAR, SRGB_GAMMA = cicp(12, 13), gama(100_000), gama(45_455)


def drawn_png(before: bytes) -> bytes:
    return png(before=before, idat=zlib.compress(rows(DRAWN)))


def as_p3() -> Any:
    return seen(DRAWN, viewer.P3)


def as_adobe() -> Any:
    return seen(DRAWN, viewer.ADOBE, power(563 / 256))


STATED: dict[str, tuple[bytes, Any]] = {
    "cICP": (P3, as_p3),
    "cICP before iCCP": (P3 + iccp(ADOBE_ICC), as_p3),
    "cICP after all others": (SRGB_CHUNK + SRGB_GAMMA + iccp(ADOBE_ICC) + P3, as_p3),
    "iCCP": (iccp(ADOBE_ICC), as_adobe),
    "iCCP before sRGB and gAMA": (SRGB_CHUNK + LINEAR + iccp(ADOBE_ICC), as_adobe),
    "iCCP, for an unspecified cICP": (cicp(2, 2) + iccp(ADOBE_ICC), as_adobe),
    "iCCP, for a reserved cICP": (cicp(3, 13) + iccp(ADOBE_ICC), as_adobe),
    "iCCP, for a cICP of YCbCr": (cicp(12, 13, 1) + iccp(ADOBE_ICC), as_adobe),
    "gAMA": (LINEAR, lambda: seen(DRAWN, viewer.SRGB, power(1))),
    "gAMA, for an iCCP of grey": (
        iccp(linear_grey()) + gama(55_556), lambda: seen(DRAWN, viewer.SRGB, power(1.8)),
    ),
    "gAMA, for an iCCP of noise": (
        iccp(bytes(range(256))) + gama(55_556), lambda: seen(DRAWN, viewer.SRGB, power(1.8)),
    ),
    "gAMA and cHRM": (chrm(viewer.P3) + gama(38_462), lambda: seen(DRAWN, viewer.P3, power(2.6))),
    "cHRM, and sRGB's curve": (chrm(viewer.P3), as_p3),
    "sRGB's gamma, and cHRM": (
        SRGB_GAMMA + chrm(viewer.P3), lambda: seen(DRAWN, viewer.P3, power(1 / 0.45455)),
    ),
    "EXIF, where no chunk states colours": (
        chunk(b"eXIf", b"II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x1a\0\0\0\0\0\0\0"
              b"\1\0\1\xa0\3\0\1\0\0\0\2\0\0\0\0\0\0\0"), as_adobe,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STATED)
def test_stated_colours_are_shown_after_decoding_and_encoding(name: str) -> None:
    chunks, expected = STATED[name]
    photo = decode(drawn_png(chunks))
    published = encode(photo.rgb, picture_format="png", icc_profile=photo.icc_profile)

    np.testing.assert_array_equal(photo.rgb, DRAWN)
    assert np.abs(viewer.shown(decode(published)) - expected()).max() <= 1.5


@pytest.mark.parametrize("name", STATED)
def test_stated_colours_are_converted_if_srgb_is_wanted(name: str) -> None:
    chunks, expected = STATED[name]
    photo = decode(drawn_png(chunks), in_srgb=True)

    assert photo.icc_profile is None
    assert np.abs(photo.rgb - expected()).max() <= 1.5


PLAIN = {
    "nothing": b"",
    "sRGB": SRGB_CHUNK,
    "sRGB before gAMA and cHRM": LINEAR + chrm(viewer.P3) + SRGB_CHUNK,
    "gAMA of sRGB": SRGB_GAMMA,
    "gAMA and cHRM of sRGB": SRGB_GAMMA + chrm(viewer.SRGB),
    "cHRM of sRGB": chrm(viewer.SRGB),
    "cICP of sRGB": cicp(1, 13),
    "cICP of sRGB before an iCCP": iccp(ADOBE_ICC) + cicp(1, 13),
    "no gamma": gama(0),
    "a gamma that no screen has": gama(1),
    "a cHRM without primaries": chunk(b"cHRM", bytes(32)),
    "a short gAMA": chunk(b"gAMA", b"\0\1"),
    "a long gAMA": chunk(b"gAMA", b"\0\1\x86\xa0\0"),
    "a short cHRM": chunk(b"cHRM", chrm(viewer.P3)[8:24]),
    "a cICP of three bytes": chunk(b"cICP", b"\x0c\x0d\0"),
    "a cICP without a checksum": P3[:-4] + bytes(4),
    "an sRGB of an unknown intent": chunk(b"sRGB", b"\x09"),
}


@pytest.mark.parametrize("name", PLAIN)
def test_srgb_and_damaged_chunks_leave_the_photo_as_it_is(name: str) -> None:
    photo = decode(drawn_png(PLAIN[name]))

    np.testing.assert_array_equal(photo.rgb, DRAWN)
    assert photo.icc_profile is None


def test_the_first_of_two_chunks_counts() -> None:
    photo = decode(drawn_png(P3 + cicp(9, 13)))

    assert np.abs(viewer.shown(photo) - as_p3()).max() <= 1.5


def test_a_chunk_behind_the_pixels_states_nothing() -> None:
    photo = decode(png(idat=zlib.compress(rows(DRAWN)), after=P3 + LINEAR))

    assert photo.icc_profile is None


def test_a_palette_has_the_colours_that_its_file_states() -> None:
    entries = bytes([200, 40, 90, 10, 240, 30])
    indices = np.array([[0, 1, 1, 0]], dtype=np.uint8)
    body = chunk(b"PLTE", entries) + chunk(b"IDAT", zlib.compress(rows(indices)))
    content = PNG + header(4, 1, colour=3) + P3 + body + chunk(b"IEND", b"")
    colours = np.frombuffer(entries, np.uint8).reshape(2, 3)[indices]

    photo = decode(content)
    np.testing.assert_array_equal(photo.rgb, colours)
    assert np.abs(viewer.shown(photo) - seen(colours, viewer.P3)).max() <= 1


GREY_LEVELS = np.arange(256, dtype=np.uint8)[None]


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(
    ("chunks", "exponent"),
    [(LINEAR, 1.0), (gama(55_556), 1.8), (cicp(12, 8), 1.0), (cicp(9, 4), 2.2)],
    ids=["linear", "1.8", "cICP linear", "cICP 2.2"],
)
def test_grey_is_converted_to_srgb(chunks: bytes, exponent: float, depth: int) -> None:
    levels = GREY_LEVELS if depth == 8 else (GREY_LEVELS.astype(np.uint16) * 257).astype(">u2")
    size = header(256, 1, depth=depth, colour=0)
    content = PNG + size + chunks + chunk(b"IDAT", zlib.compress(rows(levels)))
    photo = decode(content + chunk(b"IEND", b""))

    expected = seen(GREY_LEVELS[..., None].repeat(3, axis=2), viewer.SRGB, power(exponent))
    assert np.abs(photo.rgb - expected).max() <= 1
    assert photo.icc_profile is None


def test_linear_grey_of_16_bits_keeps_its_dark_levels() -> None:
    deep = np.arange(0, 2560, 10, dtype=">u2")[None]
    size = header(256, 1, depth=16, colour=0)
    content = PNG + size + LINEAR + chunk(b"IDAT", zlib.compress(rows(deep)))
    photo = decode(content + chunk(b"IEND", b""))

    expected = seen(deep[..., None].repeat(3, axis=2) / 257, viewer.SRGB, power(1))
    assert np.abs(photo.rgb - expected).max() <= 1
    assert len(np.unique(photo.rgb)) > 40


def test_grey_with_alpha_is_converted_and_keeps_its_alpha() -> None:
    pixels = np.stack([GREY_LEVELS, GREY_LEVELS[:, ::-1]], axis=-1)
    content = PNG + header(256, 1, colour=4) + LINEAR + chunk(b"IDAT", zlib.compress(rows(pixels)))
    photo = decode(content + chunk(b"IEND", b""))

    expected = seen(GREY_LEVELS[..., None].repeat(3, axis=2), viewer.SRGB, power(1))
    assert np.abs(photo.rgb - expected).max() <= 1
    assert photo.alpha is not None
    np.testing.assert_array_equal(photo.alpha, GREY_LEVELS[:, ::-1])


@pytest.mark.parametrize("transfer", [16, 18])
@pytest.mark.parametrize("matrix", [0, 9])
def test_high_dynamic_range_is_unsupported(transfer: int, matrix: int) -> None:
    with pytest.raises(UnsupportedMedia, match="high dynamic range"):
        probe(drawn_png(cicp(9, transfer, matrix)))


def test_video_levels_are_unsupported() -> None:
    with pytest.raises(UnsupportedMedia, match=r"video levels \(16 to 235\)"):
        probe(drawn_png(cicp(1, 13, 0, 0)))


def keyed(pixels: npt.NDArray[Any], key: tuple[int, ...], *, depth: int, colour: int) -> bytes:
    """Return a PNG with a transparent colour."""
    size = header(pixels.shape[1], pixels.shape[0], depth=depth, colour=colour)
    before = chunk(b"tRNS", struct.pack(f">{len(key)}H", *key))
    return PNG + size + before + chunk(b"IDAT", zlib.compress(rows(pixels))) + chunk(b"IEND", b"")


def test_a_16_bit_colour_is_transparent_only_if_all_bits_match() -> None:
    key = (0x1234, 0x5678, 0x9ABC)
    others = [(0x1235, *key[1:]), (*key[:2], 0x9ABD), (0x1334, *key[1:]), (0, 0, 0)]
    pixels = np.array([[key, *others]], dtype=">u2")
    photo = decode(keyed(pixels, key, depth=16, colour=2))

    assert photo.alpha is not None
    assert photo.alpha.tolist() == [[0, 255, 255, 255, 255]]
    np.testing.assert_array_equal(photo.rgb, pixels >> 8)


def test_a_16_bit_key_of_a_turned_photo_of_many_strips() -> None:
    pixels = np.random.default_rng(3).integers(0, 3, (700, 500, 3)).astype(">u2")
    photo = decode(
        keyed(pixels, (1, 1, 1), depth=16, colour=2).replace(
            b"\0\0\0\x06tRNS",
            chunk(b"eXIf", exif(6).tobytes().removeprefix(b"Exif\0\0")) + b"\0\0\0\x06tRNS",
        )
    )

    expected = np.where((pixels == 1).all(axis=2), 0, 255)
    assert photo.alpha is not None
    np.testing.assert_array_equal(photo.alpha, np.rot90(expected, -1))


@pytest.mark.parametrize("key", [0x1234, 0, 0xFFFF])
def test_a_16_bit_level_is_transparent(key: int) -> None:
    pixels = np.array([[key, key ^ 1, key ^ 0x100]], dtype=">u2")
    photo = decode(keyed(pixels, (key,), depth=16, colour=0))

    assert photo.alpha is not None
    assert photo.alpha.tolist() == [[0, 255, 255]]


@pytest.mark.parametrize(("depth", "levels"), [(1, 2), (2, 4), (4, 16), (8, 256)])
def test_a_level_of_few_bits_is_transparent(depth: int, levels: int) -> None:
    key = levels // 2
    every = "".join(format(level, f"0{depth}b") for level in range(levels)).ljust(8, "0")
    packed = bytes(int(every[at : at + 8], 2) for at in range(0, len(every), 8))
    photo = decode(
        keyed(np.frombuffer(packed, np.uint8)[None], (key,), depth=depth, colour=0).replace(
            header(len(packed), 1, depth=depth, colour=0),
            header(levels, 1, depth=depth, colour=0),
        )
    )

    assert photo.alpha is not None
    assert photo.alpha.tolist() == [[0 if level == key else 255 for level in range(levels)]]
    expected = [round(level * 255 / (levels - 1)) for level in range(levels)]
    assert photo.rgb[0, :, 0].tolist() == expected


def test_grey_and_alpha_of_16_bits_keep_their_upper_bytes() -> None:
    deep = np.array([[[0, 0xFFFF], [0x8000, 0x7FFF], [0xFFFF, 0x0100]]], dtype=">u2")
    content = PNG + header(3, 1, depth=16, colour=4) + chunk(b"IDAT", zlib.compress(rows(deep)))
    photo = decode(content + chunk(b"IEND", b""))

    assert photo.rgb[0, :, 0].tolist() == [0, 128, 255]
    assert photo.alpha is not None
    assert photo.alpha.tolist() == [[255, 127, 1]]


def test_a_transparent_colour_keeps_the_colours_that_the_file_states() -> None:
    content = saved(Image.fromarray(DRAWN), "PNG", transparency=(1, 2, 3), icc_profile=ADOBE_ICC)
    photo = decode(content)

    assert photo.alpha is not None
    assert photo.icc_profile == ADOBE_ICC
