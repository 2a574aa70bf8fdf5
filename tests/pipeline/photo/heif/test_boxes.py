"""Boxes are read one after another, and end where their place ends."""

from __future__ import annotations

import struct

import pytest

from pipeline.errors import CorruptMedia, MediaTooLarge
from pipeline.photo import limits
from pipeline.photo.heif.boxes import Fields, box, boxes


def read(content: bytes) -> list[tuple[bytes, bytes]]:
    return [(row.kind, bytes(row.body)) for row in boxes(memoryview(content))]


def test_what_is_written_is_read() -> None:
    content = box(b"free", b"one") + box(b"skip") + bytes(7)

    assert read(content) == [(b"free", b"one"), (b"skip", b"")]


def test_a_size_of_64_bits_and_a_box_to_the_end_are_read() -> None:
    wide = struct.pack(">I4sQ", 1, b"free", 19) + b"one"

    assert read(wide + struct.pack(">I4s", 0, b"mdat") + b"rest") == [
        (b"free", b"one"), (b"mdat", b"rest"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [struct.pack(">I4s", size, b"free") for size in (2, 7, 9, 2**32 - 1)]
    + [struct.pack(">I4sQ", 1, b"free", size) for size in (0, 15, 17, 2**64 - 1)]
    + [struct.pack(">I4s", 1, b"free")],
)
def test_a_box_that_does_not_fit_is_corrupt(content: bytes) -> None:
    with pytest.raises(CorruptMedia, match="box 'free'"):
        read(content)


def test_boxes_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_PARTS", 3)
    assert len(read(box(b"free") * 2)) == 2

    with pytest.raises(MediaTooLarge, match="more than 3 HEIF boxes"):
        read(box(b"free") * 4)


def test_a_field_that_is_cut_is_corrupt() -> None:
    fields = Fields(memoryview(b"\x01\x02\x03"))

    assert fields.number(2) == 0x102
    with pytest.raises(CorruptMedia, match="a box ends inside a field"):
        fields.number(2)
