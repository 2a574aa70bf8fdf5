"""Items are found in every version of the boxes that describe them."""

from __future__ import annotations

import struct

import pytest

from pipeline.errors import CorruptMedia, MediaTooLarge, UnsupportedMedia
from pipeline.photo import limits
from pipeline.photo.heif.boxes import box, full_box
from pipeline.photo.heif.items import Items, read_items

NUMBER = 70_000  # more than 16 bits


def wide(
    *,
    source: int = 0,
    external: int = 0,
    length: int = 5,
    again: int = 1,
    wide_sizes: int = 0x8888,
) -> Items:
    """Describe one item with numbers and sizes as wide as they may be; its bytes are `hello`, `l`.

    `again` is the length of its second part.
    """
    place = struct.pack(">IHHQH", NUMBER, source, external, 8, 2)
    extents = struct.pack(">QQQQQQ", 1, 0, length, 1, 2, again)
    description = full_box(
        b"meta",
        box(b"pitm", b"\1\0\0\0", struct.pack(">I", NUMBER)),
        box(
            b"iinf", b"\1\0\0\0", struct.pack(">I", 1),
            box(b"infe", b"\3\0\0\0", struct.pack(">IH4s", NUMBER, 0, b"hvc1")),
            box(b"infe", b"\1\0\0\0", b"old"),
        ),
        box(b"iloc", b"\2\0\0\0", struct.pack(">HI", wide_sizes, 1), place, extents),
        box(
            b"iprp",
            box(b"ipco", box(b"irot", b"\1"), box(b"imir", b"\0")),
            box(b"ipma", b"\1\0\0\1", struct.pack(">IIBHHH", 1, NUMBER, 3, 0x8002, 1, 0)),
        ),
        box(b"iref", b"\1\0\0\0", box(b"dimg", struct.pack(">IHI", NUMBER, 1, 3))),
    )  # fmt: skip
    items = read_items(box(b"free", b"hello") + description)
    assert items is not None
    return items


def test_wide_numbers_are_read() -> None:
    items = wide()

    assert items.primary == NUMBER
    assert items.kind(NUMBER) == b"hvc1"
    assert items.data(NUMBER) == b"hello" + b"l"
    assert items.size(NUMBER) == 6
    assert [(row.kind, row.essential) for row in items.properties(NUMBER)] == [
        (b"imir", True), (b"irot", False),
    ]  # fmt: skip
    assert items.referred(b"dimg", NUMBER) == [3]
    assert items.referring(b"dimg", 3) == [NUMBER]


def test_a_file_without_a_description_has_no_items() -> None:
    assert read_items(box(b"ftyp", b"isom") + box(b"moov")) is None


@pytest.mark.parametrize(("source", "external"), [(2, 0), (3, 0), (0, 1)])
def test_pixels_elsewhere_are_refused_by_name(source: int, external: int) -> None:
    with pytest.raises(UnsupportedMedia, match="in another file or item"):
        wide(source=source, external=external).data(NUMBER)


def test_bytes_behind_the_end_are_corrupt() -> None:
    with pytest.raises(CorruptMedia, match="the file ends before its pixels do"):
        wide(length=2**40).data(NUMBER)


def test_an_item_that_repeats_the_file_is_corrupt() -> None:
    for parts in ((200, 1), (1, 200)):
        assert wide(length=parts[0], again=parts[1]).size(NUMBER) == 201
    with pytest.raises(CorruptMedia, match="more bytes than the file"):
        wide(length=200, again=200).size(NUMBER)


def test_a_size_of_three_bytes_is_corrupt() -> None:
    with pytest.raises(CorruptMedia, match="places of its items"):
        wide(wide_sizes=0x3888)


def test_an_item_that_is_not_described_is_corrupt() -> None:
    items = wide()

    for read in (items.kind, items.data):
        with pytest.raises(CorruptMedia, match="item 4"):
            read(4)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (box(b"iloc", b"\2\0\0\0", struct.pack(">HI", 0, 51), bytes(51 * 10)), "HEIF extents"),
        (box(b"iloc", bytes(4), struct.pack(">HHHHH", 0x4400, 1, 1, 0, 51), bytes(51 * 8)),
         "HEIF extents"),
        (box(b"iprp", full_box(b"ipma", struct.pack(">I", 51), bytes(51 * 3))), "HEIF properties"),
        (box(b"iprp", full_box(b"ipma", struct.pack(">IHB", 1, 1, 51), bytes(51))),
         "HEIF properties"),
        (full_box(b"iref", box(b"dimg", struct.pack(">HH", 1, 51), bytes(51 * 2))),
         "HEIF references"),
        (full_box(b"iinf", b"\0\0", box(b"free") * 51), "HEIF boxes"),
    ],
)  # fmt: skip
def test_whatever_can_be_repeated_is_counted(
    monkeypatch: pytest.MonkeyPatch, part: bytes, message: str
) -> None:
    content = full_box(b"meta", part)
    monkeypatch.setattr(limits, "MAX_PARTS", 60)
    assert read_items(content) is not None

    monkeypatch.setattr(limits, "MAX_PARTS", 50)
    with pytest.raises(MediaTooLarge, match=f"more than 50 {message}"):
        read_items(content)
