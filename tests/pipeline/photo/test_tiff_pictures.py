"""A TIFF of several pictures: the photo is read, never its preview; camera raw is refused."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
import tifffile

from pipeline.errors import CorruptMedia, UnsupportedMedia
from pipeline.photo.pixels import decode, probe
from tests.pictures import Pixels
from tests.pipeline.photo.handmade import tiff, tiff_entries
from tests.pipeline.photo.icc import linear_grey
from tests.pipeline.photo.pictures import HEIGHT, WIDTH, drawn

RNG = np.random.default_rng(6)
PREVIEW: Pixels = RNG.integers(0, 256, (12, 16, 3), dtype=np.uint8)
PHOTO: Pixels = RNG.integers(0, 256, (48, 64, 3), dtype=np.uint8)
LARGER: Pixels = RNG.integers(0, 256, (60, 80, 3), dtype=np.uint8)
RAW = "camera raw: export it first"
REDUCED, PAGE, MASK = 1, 2, 4


class Picture(NamedTuple):
    """Pixels and NewSubfileType; `below` are the pictures of its SubIFDs."""

    pixels: npt.NDArray[Any]
    subfile: int = 0
    below: Sequence[Picture] = ()
    options: dict[str, Any] = {}  # noqa: RUF012


def written(*pictures: Picture, **file_options: Any) -> bytes:
    """Write pages and the pictures below them with tifffile."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, **file_options) as writer:
        for picture in pictures:
            _write(writer, picture, subifds=len(picture.below))
            for lower in picture.below:
                _write(writer, lower)
    return buffer.getvalue()


def _write(writer: tifffile.TiffWriter, picture: Picture, **more: Any) -> None:
    options = {"photometric": "rgb" if picture.pixels.ndim == 3 else "minisblack"}
    writer.write(
        picture.pixels, subfiletype=picture.subfile, metadata=None,
        **(options | more | picture.options),
    )  # fmt: skip


def mask(pixels: Pixels) -> Picture:
    return Picture(pixels[..., 0] > 99, MASK, (), {"photometric": 4})


@pytest.mark.parametrize("file_options", [{}, {"bigtiff": True}, {"byteorder": ">"}], ids=str)
@pytest.mark.parametrize(
    "pictures",
    [
        (Picture(PREVIEW, REDUCED), Picture(PHOTO)),
        (Picture(PREVIEW, REDUCED | PAGE), Picture(PREVIEW, REDUCED), Picture(PHOTO)),
        (Picture(PREVIEW, REDUCED, [Picture(PHOTO)]),),
        (Picture(PREVIEW, REDUCED, [Picture(PREVIEW, REDUCED), Picture(PHOTO)]),),
        (Picture(PREVIEW, REDUCED), Picture(PREVIEW), Picture(PHOTO)),
        (Picture(PREVIEW, REDUCED, [Picture(PREVIEW)]), Picture(PHOTO)),
        (mask(PREVIEW), Picture(PHOTO)),
        (Picture(PREVIEW, REDUCED), mask(LARGER), Picture(PHOTO)),
        (Picture(PHOTO), Picture(LARGER)),
        (Picture(PHOTO), Picture(PREVIEW, REDUCED)),
        (Picture(PHOTO, 0, [Picture(PREVIEW, REDUCED)]),),
        (Picture(PHOTO, REDUCED), Picture(PREVIEW)),
        (Picture(PHOTO, REDUCED),),
    ],
    ids=[
        "preview, then photo", "two previews", "photo below", "preview and photo below",
        "the largest", "the largest, not below", "a mask first", "not a larger mask",
        "two pages", "preview last", "preview below", "no larger one", "only a preview",
    ],
)  # fmt: skip
def test_the_photo_is_read(pictures: tuple[Picture, ...], file_options: dict[str, Any]) -> None:
    content = written(*pictures, **file_options)

    assert probe(content)[1:] == (64, 48)
    np.testing.assert_array_equal(decode(content).rgb, PHOTO)


@pytest.mark.parametrize(
    "options",
    [{"compression": "zlib", "predictor": True}, {"tile": (16, 16)}, {"planarconfig": "separate"}],
    ids=str,
)
def test_a_photo_behind_a_preview_may_be_stored_in_any_way(options: dict[str, Any]) -> None:
    stored = np.moveaxis(PHOTO, 2, 0) if "planarconfig" in options else PHOTO
    content = written(Picture(PREVIEW, REDUCED), Picture(stored, 0, (), options))

    np.testing.assert_array_equal(decode(content).rgb, PHOTO)


def test_a_photo_below_a_preview_has_the_orientation_and_the_profile_of_its_page() -> None:
    levels = np.full((48, 64), 128, np.uint8)
    preview = Picture(
        levels[:9, :9], REDUCED, [Picture(levels)],
        {"extratags": [(274, 3, 1, 6, True)], "iccprofile": linear_grey()},
    )  # fmt: skip
    content = written(preview)

    assert probe(content)[1:] == (48, 64)
    photo = decode(content)
    assert photo.rgb.shape == (64, 48, 3)
    assert photo.rgb[0, 0].tolist() == [188] * 3


def test_another_page_has_its_own_orientation() -> None:
    turned = {"extratags": [(274, 3, 1, 6, True)]}

    assert probe(written(Picture(PREVIEW, REDUCED, (), turned), Picture(PHOTO)))[1:] == (64, 48)
    assert probe(written(Picture(PREVIEW, REDUCED), Picture(PHOTO, 0, (), turned)))[1:] == (48, 64)


SENSOR: Pixels = RNG.integers(0, 256, (48, 64), dtype=np.uint8)


def sensor(photometric: int) -> Picture:
    """Return the numbers of a sensor, as DNG and NEF store them."""
    numbers = SENSOR if photometric == 32803 else PHOTO
    return Picture(numbers, 0, (), {"photometric": photometric})


RAWS: dict[str, tuple[Picture, ...]] = {
    "mosaic below": (Picture(PREVIEW, REDUCED, [sensor(32803)]),),
    "mosaic below, and a large preview": (
        Picture(PREVIEW, REDUCED, [Picture(LARGER, REDUCED), sensor(32803)]),
    ),
    "mosaic first": (sensor(32803),),
    "mosaic on another page": (Picture(PHOTO), sensor(32803)),
    "linear raw": (Picture(PREVIEW, REDUCED, [sensor(34892)]),),
    "DNG of RGB": (
        Picture(
            PREVIEW, REDUCED, [Picture(PHOTO)], {"extratags": [(50706, 1, 4, b"\1\4\0\0", True)]}
        ),
    ),
    "a mosaic's pattern": (
        Picture(PREVIEW, REDUCED, [
            Picture(SENSOR, 0, (), {"extratags": [(33422, 1, 4, b"\0\1\1\2", True)]})]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RAWS)
def test_camera_raw_is_refused_by_name(name: str) -> None:
    content = written(*RAWS[name])

    for read in (probe, decode):
        with pytest.raises(UnsupportedMedia, match=RAW):
            read(content)


@pytest.mark.parametrize("compression", [32767, 32769, 32770, 32867, 34713, 65000, 65535])
def test_the_compressions_of_cameras_are_refused_by_name(compression: int) -> None:
    content = tiff(tiff_entries(9, t259=(3, [compression])), bytes(9))

    with pytest.raises(UnsupportedMedia, match=RAW):
        probe(content)


@pytest.mark.parametrize("start", [b"CR\2\0", b"IIII"], ids=["Canon", "Phase One"])
def test_raw_that_shows_behind_its_header_is_refused_by_name(start: bytes) -> None:
    plain = tiff(tiff_entries(9), bytes(9))
    moved = plain[:4] + struct.pack("<I", len(plain)) + start + plain[12:] + plain[8:]

    with pytest.raises(UnsupportedMedia, match=RAW):
        probe(moved)


LIKE_RAW = written(Picture(PREVIEW, REDUCED, [Picture(PHOTO)]))


@pytest.mark.parametrize("name", ["holiday.nef", "a/B.ARW", "x.dng", "x.tif.pef", "x.cr2"])
@pytest.mark.parametrize(
    "pictures",
    [
        (Picture(PREVIEW, REDUCED, [Picture(PHOTO)]),),
        (Picture(PREVIEW, REDUCED),),
        (Picture(PREVIEW, 0, [Picture(PHOTO)]),),
        (Picture(PREVIEW), Picture(PHOTO)),
    ],
    ids=["photo below", "alone", "not marked", "on another page"],
)
def test_a_preview_first_under_the_name_of_camera_raw_is_refused(
    name: str, pictures: tuple[Picture, ...]
) -> None:
    with pytest.raises(UnsupportedMedia, match=RAW):
        probe(written(*pictures), name=name)


@pytest.mark.parametrize("name", ["holiday.tif", "nef", "nef.tiff", "", "nef/holiday"])
def test_a_preview_first_under_another_name_is_read(name: str) -> None:
    assert probe(LIKE_RAW, name=name).width == 64


def test_a_photo_first_under_the_name_of_camera_raw_is_read() -> None:
    assert probe(written(Picture(PHOTO)), name="a.nef").width == 64


@pytest.mark.parametrize(
    ("photometric", "numbers"), [(9, PHOTO), (32845, PHOTO), (32844, SENSOR), (51177, SENSOR)]
)
def test_a_photo_that_cannot_be_read_does_not_make_its_preview_the_photo(
    photometric: int, numbers: Pixels
) -> None:
    unread = Picture(numbers, 0, (), {"photometric": photometric})
    content = written(Picture(PREVIEW, REDUCED), unread)

    with pytest.raises(UnsupportedMedia, match="unsupported TIFF pixel format"):
        decode(content)


def linked(*, next_at: int = 0, below: Sequence[int] = (), subfile: int = REDUCED) -> bytes:
    """Return `drawn` as a TIFF with offsets of another page and of pictures below."""
    strip = drawn().tobytes()
    tags = tiff_entries(len(strip), t254=(4, [subfile]))
    if below:
        tags[330] = (4, list(below))
    content = bytearray(tiff(tags, strip))
    struct.pack_into("<I", content, 8 + 2 + 12 * len(tags), next_at)
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        linked(next_at=8),
        linked(below=[8]),
        linked(next_at=8, below=[8, 8]),
        linked(next_at=2**32 - 1),
        linked(below=[2**32 - 1] * 20_000),
        linked(below=range(10, 60_010)),
        linked(next_at=4),
    ],
    ids=["a loop", "itself below", "two loops", "beyond the end", "many beyond the end",
         "many inside", "inside the header"],
)  # fmt: skip
def test_directories_that_refer_to_one_another_are_read_once(content: bytes) -> None:
    np.testing.assert_array_equal(decode(content).rgb, drawn())


def test_a_photo_behind_a_preview_that_is_cut_off_is_corrupt() -> None:
    content = written(Picture(PREVIEW, REDUCED), Picture(PHOTO))
    at = content.index(PHOTO.tobytes())

    with pytest.raises(CorruptMedia):
        decode(content[: at + 1000])


def test_the_size_of_the_photo_counts_and_not_that_of_its_preview() -> None:
    assert probe(linked(subfile=0))[1:] == (WIDTH, HEIGHT)
