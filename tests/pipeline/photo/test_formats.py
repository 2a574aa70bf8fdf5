"""The first bytes decide the format; anything else is UnsupportedMedia."""

from __future__ import annotations

import io

import pytest

from pipeline.errors import UnsupportedMedia
from pipeline.photo.pixels import Header, decode, probe
from tests.pipeline.photo.pictures import FAITHFULLY, quadrants, saved

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
    "GIF": "image/gif",
    "AVIF": "image/avif",
    "HEIC": "image/heic",
}


@pytest.mark.parametrize("picture_format", FAITHFULLY)
def test_the_content_decides_the_format(picture_format: str) -> None:
    content = saved(quadrants(), picture_format)

    assert probe(content) == Header(MEDIA_TYPES[picture_format], 24, 16)


@pytest.mark.parametrize("options", [{}, {"big_tiff": True}], ids=["classic", "BigTIFF"])
def test_both_sizes_of_tiff_are_read(options: dict[str, bool]) -> None:
    assert probe(saved(quadrants(), "TIFF", **options)) == Header("image/tiff", 24, 16)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\x01\x02\x03", r"not a supported photo format \(first bytes 01 02 03\)"),
        (b"\xff", r"\(first bytes ff\)"),
    ],
    ids=["empty", "three bytes", "one byte of a JPEG"],
)
def test_other_content_is_unsupported(content: bytes, message: str) -> None:
    with pytest.raises(UnsupportedMedia, match=message):
        probe(content)
    with pytest.raises(UnsupportedMedia, match=message):
        decode(content)


def test_a_format_that_pillow_reads_but_the_table_does_not_have_is_unsupported() -> None:
    buffer = io.BytesIO()
    quadrants().save(buffer, "PPM")

    with pytest.raises(UnsupportedMedia, match="Netpbm image"):
        decode(buffer.getvalue())
