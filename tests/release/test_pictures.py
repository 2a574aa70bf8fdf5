"""The smoke test's own eyes: PNG in and out, and answers held against a golden event."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.functions.smoke_hook import drawing
from pipeline.functions.smoke_hook.answers import field, problems
from pipeline.functions.smoke_hook.golden import Golden, Pixels, read_golden
from pipeline.functions.smoke_hook.png import NotThisPng, Picture, decode, encode
from pipeline.photo.png_writer import encode_png

NOISE = np.random.default_rng(3).integers(0, 255, (31, 17, 4), dtype=np.uint8)
GRADIENT = np.tile(np.arange(64, dtype=np.uint8)[:, None, None] * 3, (1, 48, 4))
GOLDEN: dict[str, Any] = {
    "payload": {"who": "${Name}", "say": "hello ${Name}", "list": ["${Number}"], "n": 1},
    "pixels": [{"uri": "u", "at": [0.5, 0.5], "near": [1], "within": 2, "models": ["starter"]}],
    "untried": [{"error": "NoSubject", "because": "b", "not_models": ["starter"]}],
}


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("pixels", [NOISE, GRADIENT], ids=["noise", "gradient"])
def test_what_another_writer_wrote_is_read_pixel_by_pixel(
    pixels: np.ndarray[Any, Any], channels: int
) -> None:
    """Pillow chooses among all five filters."""
    wanted = np.ascontiguousarray(pixels[..., :channels])
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    buffer = io.BytesIO()
    Image.fromarray(wanted.squeeze() if channels == 1 else wanted, mode).save(buffer, "PNG")

    picture = decode(buffer.getvalue())

    assert (picture.height, picture.width, picture.channels) == wanted.shape
    assert picture.samples == wanted.tobytes()


def test_what_the_containers_write_is_read() -> None:
    assert decode(encode_png(NOISE)).samples == NOISE.tobytes()


def test_what_is_written_is_read_by_others() -> None:
    content = encode(Picture(17, 31, 4, NOISE.tobytes()))

    with Image.open(io.BytesIO(content)) as image:
        assert np.array_equal(np.asarray(image), NOISE)


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", encode_png(NOISE).replace(b"\x08\x06", b"\x10\x06", 1)]
)
def test_what_is_no_such_png_is_refused(content: bytes) -> None:
    with pytest.raises(NotThisPng):
        decode(content)


def test_the_drawn_photo_has_a_subject_and_a_background() -> None:
    photo, mask = decode(drawing.photo()), decode(drawing.mask())

    assert photo.at(0.5, 0.5) == drawing.TERRACOTTA
    assert photo.at(0.05, 0.5) == drawing.WALL
    assert (mask.at(0.5, 0.5), mask.at(0.05, 0.5)) == ((255,), (0,))
    assert (photo.width, photo.height) == (drawing.SIDE, drawing.SIDE)


def test_placeholders_alone_are_values_and_within_text_are_text() -> None:
    golden = read_golden(GOLDEN, model="starter", values={"Name": None, "Number": 7})

    assert golden.payload == {"who": None, "say": "hello None", "list": [7], "n": 1}


def test_a_placeholder_that_nothing_fills_stops_the_test() -> None:
    with pytest.raises(KeyError, match="Name"):
        read_golden(GOLDEN, model=None, values={})


def test_expectations_may_be_for_some_models_only() -> None:
    values = {"Name": "a", "Number": 1}

    starter = read_golden(GOLDEN, model="starter", values=values)
    other = read_golden(GOLDEN, model="u2net", values=values)

    assert (len(starter.pixels), starter.untried) == (1, {})
    assert (len(other.pixels), other.untried) == (0, {"NoSubject": "b"})


@pytest.mark.parametrize(
    ("path", "value"),
    [("a.0.b", 1), ("a.1.b", None), ("a.b", None), ("x.y", None), ("a.0", {"b": 1})],
)
def test_a_field_is_found_by_its_path_or_is_none(path: str, value: object) -> None:
    assert field({"a": [{"b": 1}]}, path) == value


@pytest.mark.parametrize(
    ("near", "content", "said"),
    [
        ((200,), encode(Picture(1, 1, 1, bytes([203]))), ""),
        ((200,), encode(Picture(1, 1, 1, bytes([206]))), "u is (206,) at (0.5, 0.5), not within 5"),
        ((200,), encode(Picture(1, 1, 3, bytes([200] * 3))), "u is (200, 200, 200) at"),
        ((200,), b"GIF89a", "u is no picture that can be looked at"),
        ((200,), None, "u names no picture"),
    ],
)
def test_pixels_are_looked_at(near: tuple[int, ...], content: bytes | None, said: str) -> None:
    look = Pixels("u", (0.5, 0.5), near, within=5)
    golden = Golden({}, expect=[], exists=[], pixels=[look], untried={})

    found = "; ".join(problems(golden, {"u": "s3://b/k"}, lambda _: content))

    assert found.startswith(said)
    assert bool(found) == bool(said)
