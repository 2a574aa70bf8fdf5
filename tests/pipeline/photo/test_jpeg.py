"""JPEG: the decoder gets the segments its pixels need, counted; missing rows are CorruptMedia."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import CorruptMedia, MediaTooLarge, UnsupportedMedia
from pipeline.photo import jpeg, limits
from pipeline.photo.pixels import decode, probe
from tests.pipeline.photo.pictures import corners, exif, noise, quadrants, saved

SECRET = b"12 Garden Lane"


def photo(**options: Any) -> bytes:
    return saved(quadrants(), "JPEG", **options)


@pytest.mark.parametrize(
    "content",
    [
        photo(comment=SECRET),
        photo()[:2] + b"\xff\xe1\0\x12" + SECRET.ljust(16) + photo()[2:],
        photo()[:20] + SECRET + photo()[20:],
        photo() + b"\xff\xe0\0\x10" + SECRET,
    ],
    ids=["comment", "unknown segment", "between segments", "after the end"],
)
def test_the_decoder_gets_only_what_the_pixels_need(content: bytes) -> None:
    assert SECRET in content
    assert SECRET not in jpeg.prepare(content)
    assert corners(decode(content).rgb) == ["red", "green", "blue", "white"]


def test_orientation_profile_and_resolution_are_kept() -> None:
    profile = b"some bytes in place of a profile"
    prepared = jpeg.prepare(photo(exif=exif(6), icc_profile=profile, dpi=(300, 300)))

    with Image.open(io.BytesIO(prepared)) as image:
        assert (image.getexif()[0x0112], image.info["icc_profile"]) == (6, profile)
        assert image.info["dpi"] == (300, 300)


def test_exif_above_the_limit_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    content = photo(exif=exif(6))
    monkeypatch.setattr(jpeg, "MAX_EXIF_BYTES", 20)

    assert probe(content).width == 24  # not turned


def test_segments_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_PARTS", 8)

    with pytest.raises(MediaTooLarge, match="more than 8 JPEG segments"):
        probe(photo(progressive=True))


def test_scans_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    content = photo(progressive=True)
    scans = content.count(b"\xff\xda")
    monkeypatch.setattr(jpeg, "MAX_SCANS", scans)
    assert probe(content).width == 24

    monkeypatch.setattr(jpeg, "MAX_SCANS", scans - 1)
    with pytest.raises(MediaTooLarge, match=f"more than {scans - 1} JPEG scans"):
        probe(content)


@pytest.mark.parametrize(("frame", "depth"), [(0xC3, 8), (0xC0, 12)], ids=["lossless", "12 bits"])
def test_a_coding_without_decoder_is_unsupported_and_not_corrupt(frame: int, depth: int) -> None:
    content = bytearray(photo())
    at = content.index(b"\xff\xc0")
    content[at + 1], content[at + 4] = frame, depth

    with pytest.raises(UnsupportedMedia, match="lossless, hierarchical or 12-bit"):
        probe(bytes(content))


@pytest.mark.parametrize("least_side", [None, 20])
def test_a_file_cut_short_and_closed_again_is_corrupt(least_side: int | None) -> None:
    whole = saved(noise(), "JPEG")

    with pytest.raises(CorruptMedia, match="damaged JPEG: the last rows are missing"):
        decode(whole[: len(whole) // 2] + b"\xff\xd9", least_side=least_side)


@pytest.mark.parametrize("least_side", [None, 20])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_photo_that_ends_in_middle_grey_is_complete(mode: str, least_side: int | None) -> None:
    pixels = np.array(noise())
    pixels[40:] = 128
    content = saved(Image.fromarray(pixels).convert(mode), "JPEG")

    assert len(decode(content, least_side=least_side).rgb) == (32 if least_side else 64)


PROGRESSIVE: dict[str, dict[str, Any]] = {
    "RGB": {}, "of 4:2:0": {"subsampling": 2}, "grey": {}, "CMYK": {},
    "smaller than a block": {},
}  # fmt: skip


def progressive(kind: str) -> bytes:
    image = noise(5, 7) if kind.startswith("smaller") else noise()
    if kind == "grey":
        image = image.convert("L")
    if kind == "CMYK":
        image = Image.merge("CMYK", noise(channels=4).split())
    return saved(image, "JPEG", progressive=True, **PROGRESSIVE[kind])


def scan_starts(content: bytes) -> list[int]:
    """Return where each scan starts."""
    return [segment.start for segment in jpeg._segments(content) if segment.marker == 0xDA]


@pytest.mark.parametrize("kind", PROGRESSIVE)
@pytest.mark.parametrize("least_side", [None, 20])
def test_a_whole_progressive_file_is_read(kind: str, least_side: int | None) -> None:
    content = progressive(kind)

    assert probe(content)
    assert decode(content, least_side=least_side).rgb.size


@pytest.mark.parametrize("kind", PROGRESSIVE)
def test_a_progressive_file_without_its_last_scans_is_corrupt(kind: str) -> None:
    content = progressive(kind)

    for end in scan_starts(content)[1:]:
        with pytest.raises(CorruptMedia, match="damaged JPEG: its last scans are missing"):
            probe(content[:end] + b"\xff\xd9")


@pytest.mark.parametrize("kind", [kind for kind in PROGRESSIVE if not kind.startswith("smaller")])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_progressive_file_that_ends_inside_its_last_scan_is_corrupt(
    kind: str, share: float
) -> None:
    content = progressive(kind)
    start = scan_starts(content)[-1] + 10
    end = start + round((len(content) - start) * share)

    with pytest.raises(CorruptMedia, match="damaged JPEG: the last rows are missing"):
        decode(content[:end] + b"\xff\xd9")


def test_a_sequential_file_without_the_scans_of_its_colours_is_corrupt() -> None:
    grey = saved(noise().convert("L"), "JPEG")
    at = grey.index(b"\xff\xc0")
    components = b"".join(bytes([component, 0x11, 0]) for component in (1, 2, 3))
    frame = bytes([0, 17]) + grey[at + 4 : at + 9] + b"\x03" + components
    content = grey[: at + 2] + frame + grey[at + 13 :]

    with pytest.raises(CorruptMedia, match="damaged JPEG: its last scans are missing"):
        probe(content)


CORNER = 34  # pixels: two blocks, and the colours that reach beyond them
# Sides that are no whole number of blocks, and one where only colour reaches the last row.
SIDES = [(64, 96), (61, 91), (65, 97), (72, 104), (85, 123)]
CODINGS: dict[str, dict[str, Any]] = {
    "4:4:4": {"subsampling": 0, "quality": 90},
    "4:2:0": {"subsampling": 2, "quality": 90},
    "restart markers": {"subsampling": 2, "quality": 90, "restart_marker_rows": 1},
    "progressive": {"progressive": True, "quality": 90},
}  # fmt: skip


def waves(height: int, width: int) -> Image.Image:
    """Draw smooth colours, of which a part may lie behind little data."""
    down, across = np.mgrid[0:height, 0:width]
    levels = [128 + 90 * np.sin(across / 9), 128 + 90 * np.cos(down / 7), (across + down) % 256]
    return Image.fromarray(np.stack(levels, axis=-1).astype(np.uint8))


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize(("height", "width"), SIDES)
@pytest.mark.parametrize("least_side", [None, 8, 20])
def test_a_whole_file_of_any_size_is_read_at_every_scale(
    coding: str, height: int, width: int, least_side: int | None
) -> None:
    content = saved(waves(height, width), "JPEG", **CODINGS[coding])
    grey_corner = np.array(waves(height, width))
    grey_corner[-40:, -40:] = 128

    assert decode(content, least_side=least_side).rgb.size
    assert decode(saved(Image.fromarray(grey_corner), "JPEG"), least_side=least_side).rgb.size


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize(("height", "width"), SIDES)
def test_a_file_cut_anywhere_and_closed_is_never_another_picture(
    coding: str, height: int, width: int
) -> None:
    whole = saved(waves(height, width), "JPEG", **CODINGS[coding])

    assert not any(differences(whole))


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize(("height", "width"), SIDES)
def test_a_large_file_cut_anywhere_lacks_a_corner_at_most(
    coding: str, height: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jpeg, "_LARGE", 0)
    whole = saved(waves(height, width), "JPEG", **CODINGS[coding])

    for rows, columns in differences(whole):
        assert min(rows) >= height - CORNER
        assert min(columns) >= width - CORNER


def differences(whole: bytes) -> Iterator[tuple[list[int], list[int]]]:
    """Yield rows and columns of other pixels, wherever the file is cut, closed and still read."""
    pixels = decode(whole).rgb
    start = scan_starts(whole)[0] + 12
    for end in {*range(start, len(whole) - 60, 37), *range(len(whole) - 60, len(whole) - 2)}:
        try:
            other = decode(whole[:end] + b"\xff\xd9").rgb
        except CorruptMedia:
            continue
        rows, columns = np.nonzero((other != pixels).any(axis=-1))
        if rows.size:
            yield rows.tolist(), columns.tolist()


def test_a_large_photo_in_one_scan_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jpeg, "_LARGE", 0)
    monkeypatch.setattr(jpeg, "_changes", None)

    for coding in ("4:4:4", "4:2:0", "restart markers"):
        assert decode(saved(waves(85, 123), "JPEG", **CODINGS[coding])).rgb.size
