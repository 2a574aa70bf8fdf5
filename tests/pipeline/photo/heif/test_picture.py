"""HEIC and AVIF: the primary picture is read, upright, in its colours, with its alpha."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from pipeline.errors import CorruptMedia, MediaTooLarge, UnsupportedMedia
from pipeline.photo import limits
from pipeline.photo.colour.spaces import from_code_points
from pipeline.photo.heif import picture
from pipeline.photo.heif.boxes import box, full_box
from pipeline.photo.pixels import decode, probe
from tests.pipeline.photo.heif.files import (
    ALPHA,
    BRANDS,
    DEPTH,
    GAIN_MAP,
    Item,
    code_points,
    coded,
    cropped,
    file,
    grid,
    mirrored,
    size,
    turned,
)
from tests.pipeline.photo.pictures import corners, exif, noise, quadrants

FORMATS: Final = ("HEIC", "AVIF")
UPRIGHT: Final = ["red", "green", "blue", "white"]
SIDE: Final = (192, 128)
ALPHA_TYPES: Final = {
    "general": ALPHA,
    "of HEVC": full_box(b"auxC", b"urn:mpeg:hevc:2015:auxid:1\0"),
}


def four() -> Image.Image:
    """Draw `quadrants` in a size that encoders do not pad."""
    return quadrants().resize(SIDE, Image.Resampling.NEAREST)


def tiles(picture_format: str) -> list[Item]:
    """Cut `four` into six tiles of 64²."""
    places = [(left, top) for top in (0, 64) for left in (0, 64, 128)]
    return [coded(four().crop((x, y, x + 64, y + 64)), picture_format) for x, y in places]


def ramp() -> Image.Image:
    """Draw grey that rises from left to right."""
    levels = np.linspace(0, 255, SIDE[0]).astype(np.uint8)
    return Image.fromarray(np.tile(levels, (SIDE[1], 1)))


def refused(content: bytes, error: type[Exception], message: str) -> None:
    """Assert that a file is refused before a pixel is decoded, by name."""
    with pytest.raises(error, match=message):
        probe(content)


@pytest.mark.parametrize("picture_format", FORMATS)
@pytest.mark.parametrize("in_idat", [False, True])
def test_the_primary_picture_is_read_wherever_its_bytes_are(
    picture_format: str, *, in_idat: bool
) -> None:
    other = coded(noise(128, 192), picture_format)
    content = file([other, coded(four(), picture_format)], primary=2, in_idat=in_idat)

    assert corners(decode(content).rgb) == UPRIGHT


@pytest.mark.parametrize("picture_format", FORMATS)
def test_a_grid_is_put_together_and_cut_to_its_size(picture_format: str) -> None:
    parts = tiles(picture_format)
    content = file([*parts, grid(3, 2, 190, 101, range(1, 7))], primary=7)

    whole = decode(content).rgb

    assert whole.shape == (101, 190, 3)
    assert corners(whole) == UPRIGHT
    assert np.abs(whole.astype(int) - np.asarray(four())[:101, :190]).max() <= 4


@pytest.mark.parametrize("picture_format", FORMATS)
def test_the_content_decides_the_codec_and_general_brands_are_read(picture_format: str) -> None:
    for brand in (b"mif1", b"msf1", *BRANDS.values()):
        assert corners(decode(file([coded(four(), picture_format)], brand=brand)).rgb) == UPRIGHT


@pytest.mark.parametrize("picture_format", FORMATS)
@pytest.mark.parametrize(
    ("properties", "seen"),
    [
        ([turned(1)], ["green", "white", "red", "blue"]),
        ([turned(2)], ["white", "blue", "green", "red"]),
        ([turned(3)], ["blue", "red", "white", "green"]),
        ([mirrored(sideways=True)], ["green", "red", "white", "blue"]),
        ([mirrored(sideways=False)], ["blue", "white", "red", "green"]),
        ([turned(1), mirrored(sideways=True)], ["white", "green", "blue", "red"]),
        ([turned(1), mirrored(sideways=False)], ["red", "blue", "green", "white"]),
        ([mirrored(sideways=True), turned(1)], ["red", "blue", "green", "white"]),
    ],
)
def test_a_picture_is_turned_and_mirrored_in_the_order_stated(
    picture_format: str, properties: list[bytes], seen: list[str]
) -> None:
    content = file([coded(four(), picture_format).with_properties(*properties)])
    rgb = decode(content).rgb

    assert corners(rgb) == seen
    assert probe(content)[1:] == rgb.shape[1::-1]


@pytest.mark.parametrize("picture_format", FORMATS)
def test_a_crop_comes_before_the_turn(picture_format: str) -> None:
    properties = (cropped(90, 40, 102, 4, whole=SIDE), turned(1))
    rgb = decode(file([coded(four(), picture_format).with_properties(*properties)])).rgb

    assert rgb.shape == (90, 40, 3)
    assert corners(rgb) == ["green"] * 4


def test_a_crop_after_the_turn_is_refused_by_name() -> None:
    properties = (turned(1), cropped(90, 40, 0, 0, whole=SIDE))
    content = file([coded(four(), "HEIC").with_properties(*properties)])

    refused(content, UnsupportedMedia, "cropped after it was turned")


@pytest.mark.parametrize("right", [-1, 103])
def test_a_crop_outside_of_the_picture_is_corrupt(right: int) -> None:
    crop = cropped(90, 40, right, 0, whole=SIDE)

    refused(file([coded(four(), "HEIC").with_properties(crop)]), CorruptMedia, "crop lies outside")


@pytest.mark.parametrize("picture_format", FORMATS)
def test_an_exif_orientation_alone_is_not_applied(picture_format: str) -> None:
    block = Item(b"Exif", bytes(4) + exif(6).tobytes(), (), ((b"cdsc", (1,)),))

    assert corners(decode(file([coded(four(), picture_format), block])).rgb) == UPRIGHT


@pytest.mark.parametrize("picture_format", FORMATS)
@pytest.mark.parametrize("name", ALPHA_TYPES.values(), ids=list(ALPHA_TYPES))
def test_alpha_is_read_from_its_auxiliary_picture(picture_format: str, name: bytes) -> None:
    alpha = coded(ramp(), picture_format).with_properties(name).referring(b"auxl", 1)
    photo = decode(file([coded(four(), picture_format).with_properties(turned(2)), alpha]))

    assert corners(photo.rgb) == UPRIGHT[::-1]
    assert photo.alpha is not None
    turned_ramp = np.asarray(ramp())[::-1, ::-1].astype(int)
    assert np.abs(photo.alpha - turned_ramp).max() <= 2


@pytest.mark.parametrize("picture_format", FORMATS)
def test_alpha_of_another_size_is_scaled(picture_format: str) -> None:
    half = ramp().resize((SIDE[0] // 3, SIDE[1] // 2))
    alpha = coded(half, picture_format).with_properties(ALPHA).referring(b"auxl", 1)
    photo = decode(file([coded(four(), picture_format), alpha]))

    assert photo.alpha is not None
    assert np.abs(photo.alpha.astype(int) - np.asarray(ramp())).max() <= 8


@pytest.mark.parametrize("picture_format", FORMATS)
def test_premultiplied_colours_are_divided_by_their_alpha(picture_format: str) -> None:
    light = np.asarray(four()).astype(float) * np.asarray(ramp())[..., None] / 255
    colours = coded(Image.fromarray(light.round().astype(np.uint8)), picture_format)
    alpha = coded(ramp(), picture_format).with_properties(ALPHA).referring(b"auxl", 1)
    photo = decode(file([colours.referring(b"prem", 2), alpha]))

    visible = np.asarray(ramp()) > 100
    difference = np.abs(photo.rgb.astype(int) - np.asarray(four()))
    assert difference[visible].max() <= 8


@pytest.mark.parametrize("picture_format", FORMATS)
def test_thumbnails_depth_and_gain_maps_are_ignored(picture_format: str) -> None:
    small = coded(noise(64, 64), picture_format)
    content = file(
        [
            coded(four(), picture_format),
            small.referring(b"thmb", 1),
            small.with_properties(DEPTH).referring(b"auxl", 1),
            small.with_properties(GAIN_MAP).referring(b"auxl", 1),
            Item(b"tmap", b"\0" * 60, (size(*SIDE),), ((b"dimg", (1, 4)),)),
            Item(b"mime", b"<x:xmpmeta/>", (), ((b"cdsc", (1,)),)),
            Item(b"uri ", b"anything"),
        ]
    )
    photo = decode(content)

    assert corners(photo.rgb) == UPRIGHT
    assert photo.alpha is None


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_samples_of_more_than_8_bits_are_rounded_to_8(bits: int) -> None:
    most = 2**bits - 1
    levels = np.linspace(0, most, 256).round().astype(np.uint16)
    deep = np.repeat(np.tile(levels, (64, 1))[..., None], 3, axis=2)
    mode = "RGB" if bits == 8 else f"RGB;{bits}"
    samples = deep.astype(np.uint8) if bits == 8 else deep
    made = pillow_heif.from_bytes(mode, (256, 64), samples.tobytes())
    buffer = io.BytesIO()
    options = {"quality": -1, "chroma": 444, "matrix_coefficients": 0, "bit_depth": bits}
    made.save(buffer, **options)
    rgb = decode(buffer.getvalue()).rgb

    assert np.array_equal(rgb[0, :, 1], np.arange(256))


@pytest.mark.parametrize("picture_format", FORMATS)
def test_a_grey_photo_is_read(picture_format: str) -> None:
    rgb = decode(file([coded(ramp(), picture_format)])).rgb

    assert np.abs(rgb[..., 0].astype(int) - np.asarray(ramp())).max() <= 2
    assert np.ptp(rgb, axis=2).max() == 0


@pytest.mark.parametrize("picture_format", FORMATS)
def test_code_points_become_a_profile_unless_the_file_has_one(picture_format: str) -> None:
    space = from_code_points(12, 13)
    assert space is not None
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = coded(four(), picture_format).without(b"colr")
    points, own = code_points(12, 13), box(b"colr", b"prof", profile)

    for properties, expected in (
        ((points,), space.profile()), ((points, own), profile), ((own, points), profile),
        ((code_points(1, 13),), None), ((code_points(2, 2),), None), ((), None),
    ):  # fmt: skip
        photo = decode(file([plain.with_properties(*properties)]))
        assert photo.icc_profile == expected
        assert corners(photo.rgb) == UPRIGHT


@pytest.mark.parametrize("picture_format", FORMATS)
@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_refused_by_name_and_never_dark(
    picture_format: str, transfer: int, name: str
) -> None:
    item = coded(four(), picture_format).without(b"colr").with_properties(code_points(9, transfer))

    refused(file([item]), UnsupportedMedia, f"high dynamic range .{name}.")


@pytest.mark.parametrize(
    ("kind", "name"),
    [(b"iovl", "an overlay"), (b"iden", "a changed copy"), (b"unci", "uncompressed"),
     (b"jpeg", "JPEG inside HEIF"), (b"tmap", "a tone map"), (b"what", "what")],
)  # fmt: skip
def test_other_codings_are_refused_by_name(kind: bytes, name: str) -> None:
    content = file([Item(kind, b"data", (size(*SIDE),))])

    refused(content, UnsupportedMedia, f"unsupported HEIF coding: {name}")


def test_an_essential_property_that_is_not_understood_is_refused_by_name() -> None:
    item = coded(four(), "AVIF").with_properties(box(b"lsel", b"\0\1"))

    refused(file([item]), UnsupportedMedia, "unsupported HEIF coding: it needs lsel")


def test_an_encrypted_photo_is_refused_by_name() -> None:
    item = coded(four(), "HEIC")

    refused(file([Item(item.kind, item.data, item.properties, protected=True)]),
            UnsupportedMedia, "encrypted")  # fmt: skip


def test_a_sequence_without_a_still_picture_is_refused_by_name() -> None:
    content = box(b"ftyp", b"msf1", bytes(4), b"hevc") + box(b"moov", bytes(99))

    refused(content, UnsupportedMedia, "without a still picture")


@pytest.mark.parametrize("picture_format", FORMATS)
def test_a_size_that_lies_is_corrupt(picture_format: str) -> None:
    item = coded(four(), picture_format).without(b"ispe").with_properties(size(64, 64))

    refused(file([item]), CorruptMedia, "192 × 128 pixels, where 64 × 64 are stated")


@pytest.mark.parametrize("picture_format", FORMATS)
def test_the_codecs_own_size_is_limited(
    monkeypatch: pytest.MonkeyPatch, picture_format: str
) -> None:
    item = coded(four(), picture_format).without(b"ispe").with_properties(size(64, 64))
    monkeypatch.setattr(limits, "MAX_PIXELS", 192 * 128 - 1)

    refused(file([item]), MediaTooLarge, "photo of 192 × 128 pixels")


def test_tiles_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    content = file([coded(noise(64, 64), "HEIC"), grid(3, 2, 192, 128, [1] * 6)], primary=2)
    assert decode(content).rgb.shape == (128, 192, 3)

    monkeypatch.setattr(picture, "MAX_TILES", 5)
    refused(content, MediaTooLarge, "6 HEIF tiles; the limit is 5")


def test_the_bytes_of_tiles_that_are_used_again_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tile = coded(noise(64, 64), "HEIC")
    content = file([tile, grid(3, 2, 192, 128, [1] * 6)], primary=2)
    monkeypatch.setattr(picture, "MAX_BYTES", 6 * len(tile.data) - 1)

    refused(content, MediaTooLarge, "HEIF tiles of more than")


@pytest.mark.parametrize(
    ("made", "error", "message"),
    [
        (grid(3, 2, 192, 128, [1] * 5), CorruptMedia, "a grid of 2 × 3 has 5 tiles"),
        (grid(3, 2, 193, 128, [1] * 6), CorruptMedia, "do not cover"),
        (grid(3, 2, 0, 128, [1] * 6), CorruptMedia, "a grid"),
        (grid(1, 1, 64, 64, [2]), UnsupportedMedia, "unsupported HEIF coding: grid"),
        (grid(1, 1, 64, 64, [9]), CorruptMedia, "there is no item 9"),
        (grid(200, 200, 12_800, 12_800, [1] * 40_000), MediaTooLarge, "40,000 HEIF tiles"),
        (grid(64, 64, 65_000, 65_000, [1] * 4096), MediaTooLarge, "65000 × 65000 pixels"),
        (grid(1, 2, 64, 128, [1, 3]), UnsupportedMedia, "tiles that differ"),
        (grid(1, 2, 64, 128, [1, 4]), UnsupportedMedia, "turned one by one"),
    ],
)
def test_a_grid_that_is_none_is_refused(made: Item, error: type[Exception], message: str) -> None:
    tile = coded(noise(64, 64), "HEIC")
    other = coded(noise(128, 64), "HEIC")

    refused(file([tile, made, other, tile.with_properties(turned(1))], primary=2), error, message)


def test_a_profile_is_kept_and_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for picture_format in FORMATS:
        content = file(
            [coded(four(), picture_format).with_properties(box(b"colr", b"prof", profile))]
        )
        assert decode(content).icc_profile == profile

    monkeypatch.setattr(limits, "MAX_PROFILE_BYTES", len(profile) - 1)
    refused(content, MediaTooLarge, "colour profile of more than")


@pytest.mark.parametrize("picture_format", FORMATS)
@pytest.mark.parametrize("hole", [slice(-300, None), slice(400, 700)])
def test_bytes_that_are_missing_are_corrupt(picture_format: str, hole: slice) -> None:
    item = coded(noise(128, 192), picture_format)
    data = bytearray(item.data)
    data[hole] = bytes(len(data[hole]))
    content = file([Item(item.kind, bytes(data), item.properties)])

    with pytest.raises(CorruptMedia, match=r"damaged (HEIC|HEIF|AVIF)"):
        decode(content)
