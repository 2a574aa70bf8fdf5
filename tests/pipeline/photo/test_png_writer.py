"""Another decoder reads our PNG without loss, its profile and resolution included."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from pipeline.photo import png_writer
from pipeline.photo.pixels import Pixels
from pipeline.photo.png_writer import encode_png

pictures = st.sampled_from([(), (3,), (4,)]).flatmap(
    lambda channels: array_shapes(min_dims=2, max_dims=2, max_side=40).flatmap(
        lambda shape: arrays(np.uint8, (*shape, *channels))
    )
)


def noise(*shape: int) -> Pixels:
    return np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)


def chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """Return (kind, body) of every chunk, after checking its checksum."""
    found, at = [], 8
    while at < len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        body = content[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, at + 8 + length)
        assert checksum == zlib.crc32(kind + body)
        found.append((kind, body))
        at += 12 + length
    return found


def assert_same(content: bytes, pixels: Pixels) -> None:
    with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        image.load()
        assert image.size == pixels.shape[1::-1]
        np.testing.assert_array_equal(np.asarray(image), pixels, strict=True)


@settings(max_examples=150)
@given(pixels=pictures, strip_bytes=st.sampled_from([1, 64, 300, 2**20]))
def test_a_decoder_returns_the_same_pixels(pixels: Pixels, strip_bytes: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(png_writer, "_STRIP_BYTES", strip_bytes)
        assert_same(encode_png(pixels), pixels)


@pytest.mark.parametrize("shape", [(1500, 1100), (1500, 1100, 3), (1500, 1100, 4), (1, 9000, 4)])
def test_strips_of_a_large_picture_form_one_valid_stream(shape: tuple[int, ...]) -> None:
    pixels = noise(*shape)

    content = encode_png(pixels)

    assert_same(content, pixels)
    kinds = [kind for kind, _ in chunks(content)]
    assert kinds[0] == b"IHDR"
    assert kinds[-1] == b"IEND"
    # zlib.decompress checks the stream's checksum, which Pillow may not read.
    rows = zlib.decompress(b"".join(body for kind, body in chunks(content) if kind == b"IDAT"))
    assert len(rows) == shape[0] * (1 + pixels.size // shape[0])


def test_a_view_of_a_larger_array_is_encoded() -> None:
    whole = noise(60, 50, 4)

    assert_same(encode_png(whole[10:40, 5:45]), whole[10:40, 5:45])
    assert_same(encode_png(whole[::-1, ::2, :3]), whole[::-1, ::2, :3])


def test_profile_and_resolution_are_kept() -> None:
    content = encode_png(noise(4, 5, 3), icc_profile=b"a profile", dpi=(300.0, 72.0))

    with Image.open(io.BytesIO(content)) as image:
        assert image.info["icc_profile"] == b"a profile"
        assert image.info["dpi"] == pytest.approx((300, 72), abs=0.0254 / 2)


def test_a_picture_without_profile_and_resolution_has_only_pixels() -> None:
    assert {kind for kind, _ in chunks(encode_png(noise(4, 5)))} == {b"IHDR", b"IDAT", b"IEND"}


def test_a_cutout_is_about_as_small_as_pillows_at_the_same_level() -> None:
    height, width = 900, 1200
    rows, columns = np.mgrid[:height, :width]
    inside = np.hypot(rows - height / 2, columns - width / 2) < 300
    photo = np.stack([rows // 5, columns // 6, (rows + columns) // 9], axis=-1).astype(np.uint8)
    grain = np.random.default_rng(1).integers(0, 6, (height, width, 1), dtype=np.uint8)
    cutout = np.dstack([(photo + grain) * inside[..., None], inside * np.uint8(255)])

    buffer = io.BytesIO()
    Image.fromarray(cutout).save(buffer, "PNG", compress_level=1)

    assert len(encode_png(cutout)) < 1.1 * len(buffer.getvalue())
