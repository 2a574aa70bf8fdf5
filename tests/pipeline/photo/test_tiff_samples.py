"""Every way in which a TIFF stores samples is read right, or refused by name."""

from __future__ import annotations

import io
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image

from pipeline.errors import CorruptMedia, UnsupportedMedia
from pipeline.photo.pixels import decode
from tests.pipeline.photo import viewer
from tests.pipeline.photo.handmade import tiff, tiff_entries
from tests.pipeline.photo.icc import linear_grey
from tests.pipeline.photo.pictures import HEIGHT, WIDTH, drawn
from tests.pipeline.photo.viewer import power, seen

Samples = npt.NDArray[Any]
RNG = np.random.default_rng(5)
SHAPE = (48, 37)
REFUSED = "unsupported TIFF pixel format"


def written(samples: Samples, **options: Any) -> bytes:
    """Write with tifffile, which shares no code with the decoder."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, samples, **({"metadata": None} | options))
    return buffer.getvalue()


def deep(*shape: int) -> Samples:
    return RNG.integers(0, 2**16, shape, dtype=np.uint16)


def packed(levels: Samples, bits: int) -> bytes:
    """Pack H×W levels, the first in the highest bits; each row starts a byte."""
    places = np.arange(bits)[::-1]
    rows = (levels[..., None] >> places & 1).astype(np.uint8).reshape(len(levels), -1)
    return np.packbits(rows, axis=1).tobytes()


def grey_tiff(
    data: bytes, bits: int, photometric: int, *, order: str = "<", **changes: Any
) -> bytes:
    tags = tiff_entries(
        len(data), t258=(3, [bits]), t262=(3, [photometric]), t277=(3, [1]), **changes
    )
    return tiff(tags, data, order=order)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 12, 16])
@pytest.mark.parametrize("photometric", [0, 1], ids=["white is zero", "black is zero"])
def test_grey_of_every_depth(photometric: int, bits: int, order: str) -> None:
    most = 2**bits - 1
    levels = RNG.integers(0, most + 1, (HEIGHT, WIDTH))
    levels[0, :2] = 0, most
    data = levels.astype(f"{order}u2").tobytes() if bits == 16 else packed(levels, bits)
    share = levels / most if photometric else 1 - levels / most

    photo = decode(grey_tiff(data, bits, photometric, order=order))
    assert np.abs(photo.rgb - np.round(share * 255)[..., None]).max() <= (bits < 8)
    assert photo.rgb[0, :2, 0].tolist() == ([0, 255] if photometric else [255, 0])


@pytest.mark.parametrize("photometric", ["miniswhite", "minisblack"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize(
    "options",
    [{}, {"compression": "zlib"}, {"compression": "zlib", "predictor": True}, {"tile": (16, 16)},
     {"rowsperstrip": 5}],
    ids=str,
)  # fmt: skip
def test_16_bit_grey_in_every_storage(
    options: dict[str, Any], byteorder: str, photometric: str
) -> None:
    levels = deep(*SHAPE)
    light = levels if photometric == "minisblack" else 0xFFFF - levels
    photo = decode(written(levels, photometric=photometric, byteorder=byteorder, **options))

    np.testing.assert_array_equal(photo.rgb[..., 0], np.round(light / 257).astype(np.uint8))


def test_16_bit_grey_is_converted_through_its_profile() -> None:
    levels = np.arange(0, 2**16, 16, dtype=np.uint16).reshape(64, 64)
    photo = decode(written(levels, photometric="minisblack", iccprofile=linear_grey()))

    expected = seen(levels[..., None].repeat(3, axis=2) / 257, viewer.SRGB, power(1))
    assert np.abs(photo.rgb - expected).max() <= 1


COLOURS = {"RGB": 3, "alpha": 4, "premultiplied": 4, "ignored": 4}
EXTRAS = {
    "RGB": None, "alpha": ["unassalpha"], "premultiplied": ["assocalpha"],
    "ignored": ["unspecified"],
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("kind", COLOURS)
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize(
    "options", [{}, {"compression": "zlib", "predictor": True}, {"tile": (16, 16)},
                {"rowsperstrip": 5}], ids=str,
)  # fmt: skip
def test_rgb_in_every_storage(
    options: dict[str, Any], byteorder: str, kind: str, planar: str, dtype: str
) -> None:
    most = np.iinfo(dtype).max
    samples = RNG.integers(0, most + 1, (*SHAPE, COLOURS[kind])).astype(dtype)
    if kind == "premultiplied":
        samples[..., 3] = np.maximum(samples[..., 3], most // 2 + 1)
        samples[..., :3] = samples[..., :3] * (samples[..., 3:] / most)
    stored = np.moveaxis(samples, 2, 0) if planar == "separate" else samples
    photo = decode(
        written(stored, photometric="rgb", planarconfig=planar, extrasamples=EXTRAS[kind],
                byteorder=byteorder, **options)
    )  # fmt: skip

    share = samples / most
    colours, alpha = share[..., :3], share[..., 3:]
    if kind == "premultiplied":
        colours = np.clip(colours / alpha, 0, 1)
    assert np.abs(photo.rgb - colours * 255).max() <= (3 if kind == "premultiplied" else 1)
    if kind in {"alpha", "premultiplied"}:
        assert photo.alpha is not None
        assert np.abs(photo.alpha - alpha[..., 0] * 255).max() <= 1
    else:
        assert photo.alpha is None


def test_16_bit_rgb_keeps_black_and_white() -> None:
    samples = np.zeros((*SHAPE, 3), dtype=np.uint16)
    samples[:9] = 0xFFFF
    photo = decode(written(samples, photometric="rgb"))

    assert photo.rgb[0, 0].tolist() == [255] * 3
    assert photo.rgb[9, 0].tolist() == [0] * 3


@pytest.mark.parametrize("extra", ["assocalpha", "unassalpha"])
def test_grey_with_alpha(extra: str) -> None:
    samples = RNG.integers(0, 256, (*SHAPE, 2), dtype=np.uint8)
    samples[..., 1] = np.maximum(samples[..., 1], 100)
    expected = samples[..., 0].copy()
    if extra == "assocalpha":
        samples[..., 0] = samples[..., 0] * (samples[..., 1] / 255)
    photo = decode(written(samples, photometric="minisblack", extrasamples=[extra]))

    assert photo.alpha is not None
    np.testing.assert_array_equal(photo.alpha, samples[..., 1])
    difference = np.abs(photo.rgb[..., 0].astype(int) - expected)
    assert difference.max() <= (0 if extra == "unassalpha" else 3)


def test_alpha_that_is_stored_apart_from_grey_is_refused() -> None:
    samples = RNG.integers(0, 256, (2, *SHAPE), dtype=np.uint8)
    content = written(
        samples, photometric="minisblack", planarconfig="separate", extrasamples=["unassalpha"]
    )
    with pytest.raises(UnsupportedMedia, match="alpha is stored apart from its grey"):
        decode(content)


REFUSALS: dict[str, tuple[Samples, dict[str, Any], str]] = {
    "signed, 16 bits": (deep(*SHAPE).view(np.int16), {}, "signed numbers"),
    "signed, 16 bits, positive": (np.full(SHAPE, 9, np.int16), {}, "signed numbers"),
    "signed, 8 bits": (np.full(SHAPE, -9, np.int8), {}, "signed numbers"),
    "32 bits": (np.full(SHAPE, 2**31, np.uint32), {}, "grey levels from"),
    "32 bits, inverted": (
        np.full(SHAPE, 9, np.uint32), {"photometric": "miniswhite"}, REFUSED,
    ),
    "floating point": (np.zeros(SHAPE, np.float32), {}, "floating point"),
    "half floating point": (np.zeros(SHAPE, np.float16), {}, REFUSED),
    "RGB of 32 bits": (np.zeros((*SHAPE, 3), np.uint32), {"photometric": "rgb"}, REFUSED),
    "grey and alpha of 16 bits": (deep(*SHAPE, 2), {"extrasamples": ["unassalpha"]}, REFUSED),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_samples_that_cannot_be_read_are_refused_by_name(name: str) -> None:
    samples, options, message = REFUSALS[name]
    content = written(samples, **({"photometric": "minisblack"} | options))

    with pytest.raises(UnsupportedMedia, match=message):
        decode(content)


def test_numbers_that_may_be_a_negative_are_refused_by_name() -> None:
    grey = tiff_entries(WIDTH * HEIGHT, t258=(3, [8]), t277=(3, [1]))
    del grey[262]

    with pytest.raises(UnsupportedMedia, match="does not state what its numbers mean"):
        decode(tiff(grey, bytes(WIDTH * HEIGHT)))


def test_planes_that_are_not_listed_are_corrupt() -> None:
    planes = np.moveaxis(drawn(), 2, 0).tobytes()

    with pytest.raises(CorruptMedia):
        decode(tiff(tiff_entries(len(planes), t284=(3, [2])), planes))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_bits_in_reverse_order(bits: int) -> None:
    levels = RNG.integers(0, 2**bits, (HEIGHT, WIDTH))
    straight = np.frombuffer(packed(levels, bits), np.uint8)
    reverse = np.packbits(np.unpackbits(straight[:, None], axis=1)[:, ::-1], axis=1).tobytes()
    photo = decode(grey_tiff(reverse, bits, 1, t266=(3, [2])))

    assert np.abs(photo.rgb[..., 0] - levels / (2**bits - 1) * 255).max() <= 1


@pytest.mark.parametrize("scale", [1, 257], ids=["of 8 bits", "of 16 bits"])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_palette(bits: int, scale: int) -> None:
    colours = RNG.integers(1, 256, (2**bits, 3))
    levels = RNG.integers(0, 2**bits, (HEIGHT, WIDTH))
    palette = (colours.T * scale).ravel().tolist()
    content = grey_tiff(packed(levels, bits), bits, 3, t320=(3, palette))

    np.testing.assert_array_equal(decode(content).rgb, colours[levels])


@pytest.mark.parametrize("ink_set", [1, 2], ids=["CMYK", "other inks"])
def test_inks(ink_set: int) -> None:
    inks = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    inks[..., 1:3] = 255
    tags = tiff_entries(
        inks.size, t258=(3, [8] * 4), t262=(3, [5]), t277=(3, [4]), t332=(3, [ink_set])
    )
    content = tiff(tags, inks.tobytes())

    if ink_set == 1:
        assert decode(content).rgb[9, 9].tolist() == [255, 0, 0]
    else:
        with pytest.raises(UnsupportedMedia, match="inks other than CMYK"):
            decode(content)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(("across", "down"), [(1, 1), (2, 1), (2, 2)])
def test_ycbcr_with_fewer_samples_of_colour(*, compressed: bool, across: int, down: int) -> None:
    """Samples come in blocks: the lightness of each pixel, then one pair of colours."""
    planes = np.asarray(Image.new("RGB", (WIDTH, HEIGHT), (200, 60, 30)).convert("YCbCr"))
    light, blue, red = planes[0, 0].tolist()
    block = bytes([light] * (across * down) + [blue, red])
    data = block * (WIDTH // across * (HEIGHT // down))
    stored = zlib.compress(data) if compressed else data
    tags = tiff_entries(
        len(stored), t262=(3, [6]), t530=(3, [across, down]), t259=(3, [8 if compressed else 1])
    )
    photo = decode(tiff(tags, stored))

    assert np.abs(photo.rgb.astype(int) - [200, 60, 30]).max() <= 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("depth", ["u1", "u2"])
def test_orientation(orientation: int, depth: str) -> None:
    samples = RNG.integers(0, 256, SHAPE).astype(depth) * (1 if depth == "u1" else 257)
    content = written(samples.astype(depth), photometric="miniswhite",
                      extratags=[(274, 3, 1, orientation, True)])  # fmt: skip
    turns: dict[int, Any] = {
        1: lambda seen: seen, 2: np.fliplr, 3: lambda seen: np.rot90(seen, 2), 4: np.flipud,
        5: np.transpose, 6: lambda seen: np.rot90(seen, -1),
        7: lambda seen: np.rot90(seen, 2).T, 8: np.rot90,
    }  # fmt: skip
    most = np.iinfo(depth).max

    expected = turns[orientation](np.round((most - samples) / most * 255).astype(np.uint8))
    np.testing.assert_array_equal(decode(content).rgb[..., 0], expected)


@pytest.mark.parametrize(
    ("lab", "rgb"), [((53, 80, 67), (254, 4, 5)), ((97, -22, 94), (252, 254, 13))]
)
def test_lab_of_8_bits(lab: tuple[int, int, int], rgb: tuple[int, int, int]) -> None:
    light, *ab = lab
    pixel = bytes([round(light * 2.55), *(part & 255 for part in ab)])
    strip = pixel * (WIDTH * HEIGHT)
    photo = decode(tiff(tiff_entries(len(strip), t262=(3, [8])), strip))

    assert np.abs(photo.rgb[3, 3].astype(int) - rgb).max() <= 14
