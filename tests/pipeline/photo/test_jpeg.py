"""JPEG: the decoder gets the segments its pixels need, counted; missing rows are CorruptMedia."""

from __future__ import annotations

import io
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
