"""JPEG, WebP, TIFF, BMP and GIF: colours come out as the file states them, in each of its ways."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from pipeline.errors import MediaTooLarge, UnsupportedMedia
from pipeline.photo import limits
from pipeline.photo.colour.spaces import ADOBE_RGB
from pipeline.photo.pixels import decode, probe
from tests.pipeline.photo import viewer
from tests.pipeline.photo.handmade import tiff, tiff_entries
from tests.pipeline.photo.pictures import (
    BLUE,
    HEIGHT,
    ORIENTATION,
    RED,
    WIDTH,
    corners,
    drawn,
    noise,
    saved,
)
from tests.pipeline.photo.viewer import D65, power, seen

ADOBE_ICC = ADOBE_RGB.profile() or b""
SRGB_ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
CORNERS = ["red", "green", "blue", "white"]
ADOBE_GAMMA = power(563 / 256)


def exif_of(
    tags: dict[int, Any] | None = None, *, space: int | None = None, index: str | None = None
) -> Image.Exif:
    """Return an EXIF block with a ColorSpace, an interoperability index and other tags."""
    block = Image.Exif()
    block[ORIENTATION] = 1  # Pillow's writers skip a block without a tag of its own
    details = block.get_ifd(0x8769)
    if space is not None:
        details[0xA001] = space
    if index is not None:
        details[0xA005] = {1: index}
    for number, value in (tags or {}).items():
        (details if number > 0x9000 else block)[number] = value
    return block


PRIMARIES = {318: D65, 319: tuple(part for point in viewer.P3[1:] for part in point)}
EXIF_STATES: dict[str, tuple[Image.Exif, viewer.Points, Any]] = {
    "R03": (exif_of(space=0xFFFF, index="R03"), viewer.ADOBE, ADOBE_GAMMA),
    "R03 alone": (exif_of(index="R03"), viewer.ADOBE, ADOBE_GAMMA),
    "ColorSpace 2": (exif_of(space=2), viewer.ADOBE, ADOBE_GAMMA),
    "primaries": (exif_of(PRIMARIES, space=0xFFFF), viewer.P3, power(2.2)),
    "primaries and gamma": (
        exif_of({42240: 1.8, **PRIMARIES}, space=0xFFFF), viewer.P3, power(1.8),
    ),
    "R03 before primaries": (
        exif_of(PRIMARIES, space=0xFFFF, index="R03"), viewer.ADOBE, ADOBE_GAMMA,
    ),
}  # fmt: skip


def saved_with(block: Image.Exif, image: Image.Image, picture_format: str) -> bytes:
    """Save with an EXIF block; into a TIFF by hand, for Pillow forgets the blocks inside."""
    if picture_format != "TIFF":
        return saved(image, picture_format, exif=block)
    strip = image.tobytes()
    tags = tiff_entries(len(strip), t34665=(4, [0]))
    if image.mode == "L":
        tags |= {258: (3, [8]), 262: (3, [1]), 277: (3, [1])}
    for name in set(block) & {318, 319}:
        tags[name] = (5, [round(value * 10_000) for value in block[name]])
    details = dict(block.get_ifd(0x8769))
    index = details.pop(0xA005, {}).get(1)
    end = len(tiff(tags, strip))
    entries = [(0xA001, 3, struct.pack("<HH", details[0xA001], 0))] if 0xA001 in details else []
    if index:
        entries.append((0xA005, 4, struct.pack("<I", end + 100)))
    if 0xA500 in details:
        entries.append((0xA500, 5, struct.pack("<I", end + 80)))
    ifd = struct.pack("<H", len(entries)) + b"".join(
        struct.pack("<HHI", tag, kind, 1) + value for tag, kind, value in entries
    )
    gamma = struct.pack("<II", round(details.get(0xA500, 0) * 1000), 1000)
    interoperability = struct.pack("<HHHI4s", 1, 1, 2, 4, (index or "").encode()) + bytes(4)
    tags[34665] = (4, [end])
    return tiff(tags, strip) + ifd.ljust(80, b"\0") + gamma.ljust(20, b"\0") + interoperability


@pytest.mark.parametrize("picture_format", ["JPEG", "WEBP", "PNG", "TIFF"])
@pytest.mark.parametrize("name", EXIF_STATES)
def test_exif_states_colours(name: str, picture_format: str) -> None:
    block, points, light = EXIF_STATES[name]
    photo = decode(saved_with(block, noise(), picture_format))

    assert photo.icc_profile is not None
    expected = seen(photo.rgb, points, light)
    assert np.abs(viewer.shown(photo) - expected).max() <= 1.5


@pytest.mark.parametrize(
    "block",
    [
        exif_of(space=1),
        exif_of(space=1, index="R98"),
        exif_of(space=1, index="R03"),
        exif_of(space=0xFFFF),
        exif_of(space=0xFFFF, index="R98"),
        exif_of({318: D65, 319: (0.64, 0.33, 0.3, 0.6, 0.15, 0.06)}, space=0xFFFF),
        exif_of({318: (0.0, 0.0), 319: (0.0,) * 6}, space=0xFFFF),
        exif_of({319: (0.64, 0.33, 0.3)}),
        exif_of({318: D65}),
    ],
    ids=[
        "sRGB", "sRGB, R98", "sRGB, though R03", "uncalibrated", "uncalibrated, R98",
        "primaries of sRGB", "primaries of nothing", "half of the primaries", "white alone",
    ],
)  # fmt: skip
def test_exif_that_states_srgb_or_nothing_leaves_the_photo_as_it_is(block: Image.Exif) -> None:
    assert decode(saved(noise(), "JPEG", exif=block)).icc_profile is None


@pytest.mark.parametrize("picture_format", ["JPEG", "WEBP", "TIFF"])
def test_a_profile_counts_more_than_exif(picture_format: str) -> None:
    content = saved(noise(), picture_format, exif=exif_of(index="R03"), icc_profile=SRGB_ICC)

    assert decode(content).icc_profile == SRGB_ICC


def test_a_profile_of_noise_counts_less_than_exif() -> None:
    content = saved(noise(), "JPEG", exif=exif_of(index="R03"), icc_profile=bytes(range(200)))

    assert decode(content).icc_profile == ADOBE_ICC


def test_grey_in_adobe_rgb_is_converted() -> None:
    levels = np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(HEIGHT, WIDTH)
    photo = decode(saved_with(exif_of(index="R03"), Image.fromarray(levels), "TIFF"))

    expected = seen(levels[..., None].repeat(3, axis=2), viewer.SRGB, ADOBE_GAMMA)
    assert np.abs(photo.rgb - expected).max() <= 1
    assert photo.icc_profile is None


def test_a_profile_in_several_segments_is_joined_in_its_order() -> None:
    note = b"desc" + bytes(150_000)
    profile = ADOBE_ICC + note
    profile = struct.pack(">I", len(profile)) + profile[4:]
    content = saved(noise(), "JPEG", icc_profile=profile)
    first, second = (content.index(b"ICC_PROFILE\0" + bytes([at])) - 4 for at in (1, 2))
    third = content.index(b"ICC_PROFILE\0\3") - 4
    swapped = content[:first] + content[second:third] + content[first:second] + content[third:]

    assert decode(content).icc_profile == profile
    assert decode(swapped).icc_profile == profile


def quadrants_jpeg(**options: Any) -> bytes:
    cells = np.array([[RED, (0, 255, 0)], [BLUE, (255, 255, 255)]], dtype=np.uint8)
    image = Image.fromarray(cells.repeat(16, axis=0).repeat(16, axis=1))
    return saved(image, "JPEG", quality=100, subsampling=0, **options)


def without(content: bytes, marker: int) -> bytes:
    at = content.index(bytes([0xFF, marker]))
    return content[:at] + content[at + 2 + int.from_bytes(content[at + 2 : at + 4]) :]


def numbered(content: bytes, ids: bytes) -> bytes:
    """Give the three components other numbers, in the frame and in its only scan."""
    changed = bytearray(content)
    frame, scan = content.index(b"\xff\xc0") + 10, content.index(b"\xff\xda") + 5
    for place, number in enumerate(ids):
        changed[frame + 3 * place] = changed[scan + 2 * place] = number
    return bytes(changed)


COMPONENTS: dict[str, Callable[[], bytes]] = {
    "YCbCr, JFIF": quadrants_jpeg,
    "YCbCr, no marker": lambda: without(quadrants_jpeg(), 0xE0),
    "YCbCr, odd numbers": lambda: numbered(quadrants_jpeg(), b"\x05\x06\x07"),
    "RGB, Adobe's marker": lambda: numbered(quadrants_jpeg(keep_rgb=True), b"\1\2\3"),
    "RGB, by its numbers": lambda: without(quadrants_jpeg(keep_rgb=True), 0xEE),
}


@pytest.mark.parametrize("name", COMPONENTS)
def test_the_components_of_a_jpeg_are_told_apart(name: str) -> None:
    assert corners(decode(COMPONENTS[name]()).rgb) == CORNERS


@pytest.mark.parametrize("adobe", [True, False], ids=["Adobe's marker", "no marker"])
def test_cmyk_is_stored_inverted(adobe: bool) -> None:  # noqa: FBT001
    """Browsers read it so even without Adobe's marker; few other programs write it."""
    content = saved(Image.new("CMYK", (32, 32), (0, 255, 255, 0)), "JPEG", quality=100)
    content = content if adobe else without(content, 0xEE)

    assert decode(content).rgb[16, 16].tolist() == pytest.approx(RED, abs=3)


def test_ycck_is_converted() -> None:
    ycc = Image.new("RGB", (32, 32), (0, 0, 255)).convert("YCbCr")  # inverted inks of yellow
    planes = [*ycc.split(), Image.new("L", (32, 32), 255)]
    content = saved(Image.merge("CMYK", planes).point(lambda level: 255 - level), "JPEG",
                    quality=100)  # fmt: skip
    marker = content.index(b"Adobe") + 11
    ycck = content[:marker] + b"\2" + content[marker + 1 :]

    assert content[marker] == 0
    assert decode(ycck).rgb[16, 16].tolist() == pytest.approx((255, 255, 0), abs=4)


def bmp(header: bytes, *, after: bytes = b"") -> bytes:
    """Return `noise` as a BMP with a header of version 4 or 5, and bytes behind the pixels."""
    plain = saved(noise(), "BMP")
    start = 14 + len(header)
    sizes = struct.pack("<4xI", start)
    return plain[:6] + sizes + header + plain[54:] + after


def bmp_header(
    kind: bytes = b"\0\0\0\0",
    *,
    ends: tuple[float, ...] = (0,) * 9,
    gammas: tuple[float, ...] = (0,) * 3,
    version: int = 4,
    profile: tuple[int, int] = (0, 0),
) -> bytes:
    size = 124 if version == 5 else 108
    head = struct.pack("<IiiHHIIiiII", size, WIDTH, HEIGHT, 1, 24, 0, 0, 2835, 2835, 0, 0)
    head += bytes(16) + kind[::-1] + struct.pack("<9i", *(round(end * 2**30) for end in ends))
    head += struct.pack("<3I", *(round(gamma * 2**16) for gamma in gammas))
    return head + (struct.pack("<4I", 4, *profile, 0) if version == 5 else b"")


def xyz_ends(points: viewer.Points, *, as_light: bool) -> tuple[float, ...]:
    if as_light:
        return tuple(viewer._to_xyz(points).T.ravel())
    return tuple(number for x, y in points[1:] for number in (x, y, 1 - x - y))


SPACES: dict[str, tuple[bytes, viewer.Points, Any]] = {
    "chromaticities": (
        bmp_header(ends=xyz_ends(viewer.ADOBE, as_light=False), gammas=(2.2,) * 3),
        viewer.ADOBE, power(2.2),
    ),
    "light of the primaries": (
        bmp_header(ends=xyz_ends(viewer.P3, as_light=True), gammas=(1.8,) * 3),
        viewer.P3, power(1.8),
    ),
    "version 5": (
        bmp_header(ends=xyz_ends(viewer.P3, as_light=False), gammas=(1.0,) * 3, version=5),
        viewer.P3, power(1),
    ),
    "three gammas": (
        bmp_header(ends=xyz_ends(viewer.SRGB, as_light=False), gammas=(1.0, 1.8, 2.6)),
        viewer.SRGB, power(np.array([1.0, 1.8, 2.6])),  # type: ignore[arg-type]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SPACES)
def test_a_bmp_states_colours_in_its_header(name: str) -> None:
    header, points, light = SPACES[name]
    photo = decode(bmp(header))

    np.testing.assert_array_equal(photo.rgb, np.asarray(noise()))
    assert np.abs(viewer.shown(photo) - seen(photo.rgb, points, light)).max() <= 1.5


@pytest.mark.parametrize(
    "header",
    [
        bmp_header(),
        bmp_header(b"sRGB"),
        bmp_header(b"Win "),
        bmp_header(ends=xyz_ends(viewer.SRGB, as_light=False), gammas=(2.2,) * 3),
        bmp_header(ends=(-1.0,) * 9, gammas=(2.2,) * 3),
        bmp_header(ends=(0.3,) * 9, gammas=(2.2,) * 3),
        bmp_header(b"MBED", version=5, profile=(2**31, 2**31)),
        bmp_header(b"sRGB", ends=xyz_ends(viewer.P3, as_light=False), gammas=(1.0,) * 3),
    ],
    ids=["zeros", "sRGB", "Windows", "as sRGB", "negative", "one grey", "nowhere", "sRGB named"],
)
def test_a_bmp_that_states_srgb_or_nothing_is_left_as_it_is(header: bytes) -> None:
    photo = decode(bmp(header))

    np.testing.assert_array_equal(photo.rgb, np.asarray(noise()))
    assert photo.icc_profile is None


def test_a_bmp_with_a_profile_keeps_it() -> None:
    place = (124 + WIDTH * HEIGHT * 3, len(ADOBE_ICC))
    content = bmp(bmp_header(b"MBED", version=5, profile=place), after=ADOBE_ICC)

    assert decode(content).icc_profile == ADOBE_ICC


def test_a_bmp_whose_profile_is_in_another_file_is_unsupported() -> None:
    place = (124 + WIDTH * HEIGHT * 3, 20)
    header = bmp_header(b"LINK", version=5, profile=place)

    with pytest.raises(UnsupportedMedia, match=r"colour profile is in another file: 'C:.*Wide"):
        probe(bmp(header, after=b"C:\\Wide Gamut.icm\0  "))
    assert decode(bmp(header, after=b"sRGB Color.icm\0     ")).icc_profile is None


def gif(*, extension: bytes = b"ICCRGBG1012", profile: bytes = ADOBE_ICC) -> bytes:
    plain = saved(Image.fromarray(drawn()).quantize(16), "GIF")
    at = 13 + (3 << (plain[10] & 7) + 1)
    blocks = b"".join(
        bytes([len(profile[start : start + 255])]) + profile[start : start + 255]
        for start in range(0, len(profile), 255)
    )
    comment = b"!\xfe\x04note\0"
    application = b"!\xff" + bytes([len(extension)]) + extension + blocks + b"\0"
    return plain[:at] + comment + application + plain[at:]


def test_a_gif_keeps_the_profile_of_its_extension() -> None:
    photo = decode(gif())

    assert photo.icc_profile == ADOBE_ICC
    assert np.abs(viewer.shown(photo) - seen(photo.rgb, viewer.ADOBE, ADOBE_GAMMA)).max() <= 1


@pytest.mark.parametrize(
    "content",
    [
        gif(extension=b"NETSCAPE2.0"),
        gif(profile=bytes(1000)),
        gif(extension=b"NETSCAPE2.0", profile=bytes(2 * 2**20)),
    ],
    ids=["another extension", "zeros", "two mebibytes of another extension"],
)
def test_a_gif_without_a_profile_is_left_as_it_is(content: bytes) -> None:
    assert decode(content).icc_profile is None


def stretched(size: int) -> bytes:
    """Return a profile of so many bytes, with its first tag at the end."""
    (count,) = struct.unpack_from(">I", ADOBE_ICC, 128)
    table, more = 132 + 12 * count, size - len(ADOBE_ICC)
    tags = struct.iter_unpack(">4sII", ADOBE_ICC[132:table])
    moved = b"".join(struct.pack(">4sII", tag, at + more, length) for tag, at, length in tags)
    head = struct.pack(">I", size) + ADOBE_ICC[4:132]
    return head + moved + bytes(more) + ADOBE_ICC[table:]


@pytest.mark.parametrize("picture_format", ["BMP", "GIF"])
def test_a_profile_is_read_whole_or_refused(picture_format: str) -> None:
    def holding(profile: bytes) -> bytes:
        place = (124 + WIDTH * HEIGHT * 3, len(profile))
        header = bmp_header(b"MBED", version=5, profile=place)
        return gif(profile=profile) if picture_format == "GIF" else bmp(header, after=profile)

    longest = stretched(limits.MAX_PROFILE_BYTES)
    assert decode(holding(longest)).icc_profile == longest
    with pytest.raises(MediaTooLarge, match=f"{picture_format} colour profile of more than"):
        probe(holding(stretched(limits.MAX_PROFILE_BYTES + 1)))


def test_extensions_of_a_gif_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_PARTS", 1)

    with pytest.raises(MediaTooLarge, match="more than 1 GIF extensions"):
        probe(gif())


def test_a_transfer_function_of_a_tiff_is_its_curve() -> None:
    table = [round((level / 255) ** 1.5 * 65535) for level in range(256)]
    strip = np.asarray(noise()).tobytes()
    for samples in (table, table * 3):
        photo = decode(tiff(tiff_entries(len(strip), t301=(3, samples)), strip))
        expected = seen(photo.rgb, viewer.SRGB, power(1.5))
        assert np.abs(viewer.shown(photo) - expected).max() <= 1.5


@pytest.mark.parametrize("table", [[0] * 256, [5] * 7, [9] * 768], ids=["zeros", "seven", "flat"])
def test_a_transfer_function_that_is_none_is_ignored(table: list[int]) -> None:
    strip = drawn().tobytes()

    assert decode(tiff(tiff_entries(len(strip), t301=(3, table)), strip)).icc_profile is None


def test_a_webp_keeps_its_profile() -> None:
    photo = decode(saved(noise(), "WEBP", icc_profile=ADOBE_ICC))

    assert photo.icc_profile == ADOBE_ICC
    assert decode(saved(noise(), "WEBP")).icc_profile is None


def test_the_writers_profile_is_read_by_a_viewer() -> None:
    buffer = io.BytesIO(saved(noise(), "JPEG", icc_profile=ADOBE_ICC))
    with Image.open(buffer) as image:
        assert image.info["icc_profile"] == ADOBE_ICC
