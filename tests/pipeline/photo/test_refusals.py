"""What is no photo, a broken one or too much of one is refused by name, never otherwise."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.errors import CorruptMedia, MediaTooLarge, PipelineError, UnsupportedMedia
from pipeline.photo import limits
from pipeline.photo.pixels import Photo, decode, probe
from tests.pipeline.photo.pictures import FAITHFULLY, exif, quadrants, saved

Read = Callable[[bytes], object]

NO_PHOTO = {
    "empty": b"",
    "text": b"once upon a time",
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "AVIF": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1",
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "ZIP": b"PK\x03\x04\x14\0\0\0\x08\0",
    "WAV": b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0",
    "one byte of a JPEG": b"\xff",
}
NOISE = Image.fromarray(np.random.default_rng(3).integers(0, 256, (48, 64, 3), dtype=np.uint8))


@pytest.mark.parametrize("name", NO_PHOTO)
def test_what_is_no_photo_is_unsupported(name: str) -> None:
    with pytest.raises(UnsupportedMedia):
        probe(NO_PHOTO[name])
    with pytest.raises(UnsupportedMedia):
        decode(NO_PHOTO[name])


def test_a_picture_pillow_reads_but_nobody_listed_is_unsupported() -> None:
    buffer = io.BytesIO()
    quadrants().save(buffer, "PPM")

    with pytest.raises(UnsupportedMedia):
        decode(buffer.getvalue())


@pytest.mark.parametrize("picture_format", FAITHFULLY)
@pytest.mark.parametrize("kept", [0.5, 0.9])
@pytest.mark.parametrize("least_side", [None, 9])
def test_a_photo_cut_short_is_corrupt(
    picture_format: str, kept: float, least_side: int | None
) -> None:
    content = saved(NOISE, picture_format)

    with pytest.raises(CorruptMedia):
        decode(content[: int(len(content) * kept)], least_side=least_side)


@pytest.mark.parametrize("signature", [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF89a"])
def test_a_signature_with_nothing_behind_it_is_corrupt(signature: bytes) -> None:
    with pytest.raises(CorruptMedia):
        probe(signature)
    with pytest.raises(CorruptMedia):
        decode(signature)


def test_a_png_with_a_wrong_checksum_is_corrupt() -> None:
    content = saved(quadrants(), "PNG")
    at = content.index(b"IDAT") + 6

    with pytest.raises(CorruptMedia):
        decode(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])


@pytest.mark.parametrize("picture_format", FAITHFULLY)
@pytest.mark.parametrize("read", [probe, decode])
def test_too_many_pixels_are_refused_from_the_header(
    monkeypatch: pytest.MonkeyPatch, picture_format: str, read: Read
) -> None:
    content = saved(quadrants(), picture_format)
    monkeypatch.setattr(limits, "MAX_PIXELS", 24 * 16 - 1)
    monkeypatch.setattr(Image.Image, "load", None)

    with pytest.raises(MediaTooLarge, match="24 × 16 pixels"):
        read(content)


@pytest.mark.parametrize("read", [probe, decode])
def test_too_many_bytes_are_refused_unopened(monkeypatch: pytest.MonkeyPatch, read: Read) -> None:
    content = saved(quadrants(), "PNG")
    monkeypatch.setattr(limits, "MAX_BYTES", len(content) - 1)
    monkeypatch.setattr(Image, "open", None)

    with pytest.raises(MediaTooLarge, match="bytes"):
        read(content)


def test_exactly_as_much_as_allowed_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    content = saved(quadrants(), "PNG")
    monkeypatch.setattr(limits, "MAX_BYTES", len(content))
    monkeypatch.setattr(limits, "MAX_PIXELS", 24 * 16)

    assert decode(content).rgb.shape == (16, 24, 3)


def test_a_header_may_claim_a_hundred_times_more_than_pillow_allows() -> None:
    content = bytearray(saved(Image.new("L", (1, 1)), "BMP"))
    content[18:26] = b"\xff\xff\xff\x7f\xff\xff\xff\x7f"

    with pytest.raises(MediaTooLarge, match="2147483647 × 2147483647 pixels"):
        decode(bytes(content))


SEEDS = [
    saved(quadrants(), "JPEG", exif=exif(6), dpi=(72, 72)),
    saved(quadrants().convert("CMYK"), "JPEG"),
    saved(quadrants(), "PNG", exif=exif(8)),
    saved(quadrants().quantize(8), "PNG", transparency=b"\1\2"),
    saved(Image.new("I;16", (9, 7), 40000), "PNG"),
    saved(quadrants(), "WEBP", exif=exif(5)),
    saved(quadrants(), "TIFF", exif=exif(3)),
    saved(quadrants(), "TIFF", compression="tiff_lzw"),
    saved(quadrants(), "BMP"),
    saved(quadrants(), "GIF", save_all=True, append_images=[NOISE]),
]
flips = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6)


def damaged(content: bytes, changes: list[tuple[float, int]], kept: float) -> bytes:
    """`content` with single bytes replaced, each at a fraction of its length, then cut short."""
    broken = bytearray(content)
    for place, value in changes:
        broken[int(place * len(content))] = value
    return bytes(broken[: round(kept * len(content))])


def outcome(content: bytes) -> type:
    """Photo, or the named error it was refused with."""
    try:
        probe(content)
        return type(decode(content))
    except PipelineError as error:
        return type(error)


@pytest.mark.filterwarnings("ignore")  # Pillow warns about what it tolerates
@settings(max_examples=400, deadline=None)
@given(st.sampled_from(SEEDS), flips, st.one_of(st.just(1.0), st.floats(0, 1)))
def test_damage_gives_a_photo_or_a_name(
    content: bytes, changes: list[tuple[float, int]], kept: float
) -> None:
    assert outcome(damaged(content, changes, kept)) in {
        Photo,
        CorruptMedia,
        MediaTooLarge,
        UnsupportedMedia,
    }
