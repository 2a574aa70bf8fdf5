"""A file above a limit raises MediaTooLarge before a pixel is decoded; one at the limit is read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image

from pipeline.errors import MediaTooLarge
from pipeline.photo import limits
from pipeline.photo.pixels import decode, probe
from tests.pipeline.photo.pictures import FAITHFULLY, quadrants, saved

Read = Callable[[bytes], object]


@pytest.mark.parametrize("picture_format", FAITHFULLY)
@pytest.mark.parametrize("read", [probe, decode])
def test_too_many_pixels_are_refused_from_the_header(
    monkeypatch: pytest.MonkeyPatch, picture_format: str, read: Read
) -> None:
    content = saved(quadrants(), picture_format)
    coded = "64 × 64" if picture_format == "HEIC" else "24 × 16"  # x265 pads to whole blocks
    monkeypatch.setattr(limits, "MAX_PIXELS", 24 * 16 - 1)
    monkeypatch.setattr(Image.Image, "load", None)

    with pytest.raises(MediaTooLarge, match=f"photo of {coded} pixels; the limit is 383 in total"):
        read(content)


@pytest.mark.parametrize("read", [probe, decode])
def test_too_many_bytes_are_refused_before_the_file_is_opened(
    monkeypatch: pytest.MonkeyPatch, read: Read
) -> None:
    content = saved(quadrants(), "PNG")
    most = len(content) - 1
    monkeypatch.setattr(limits, "MAX_BYTES", most)
    monkeypatch.setattr(Image, "open", None)

    with pytest.raises(MediaTooLarge, match=f"file of {most + 1} bytes; the limit is {most}"):
        read(content)


def test_a_photo_at_the_limits_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    content = saved(quadrants(), "PNG")
    monkeypatch.setattr(limits, "MAX_BYTES", len(content))
    monkeypatch.setattr(limits, "MAX_PIXELS", 24 * 16)

    assert decode(content).rgb.shape == (16, 24, 3)


def test_a_side_is_at_most_what_a_jpeg_can_state() -> None:
    content = saved(Image.new("1", (65_536, 1)), "PNG")

    with pytest.raises(MediaTooLarge, match="the limit is 65,535 on a side"):
        probe(content)
    assert probe(saved(Image.new("1", (65_535, 1)), "PNG")).width == 65_535


def test_a_size_above_pillows_own_limit_is_refused_by_ours() -> None:
    content = bytearray(saved(Image.new("L", (1, 1)), "BMP"))
    content[18:26] = b"\xff\xff\xff\x7f\xff\xff\xff\x7f"

    with pytest.raises(MediaTooLarge, match="2147483647 × 2147483647 pixels"):
        decode(bytes(content))
