"""HEVC: the size comes from the codec's headers, and only slices and parameter sets are kept."""

from __future__ import annotations

import pytest

from pipeline.errors import CorruptMedia, PermanentError
from pipeline.photo.heif import hevc
from tests.pipeline.photo.heif.files import coded
from tests.pipeline.photo.pictures import noise

SLICE, PARAMETERS, MESSAGE, OTHER_LAYER = (
    b"\x28\1data",
    b"\x42\1data",
    b"\x4e\1data",
    b"\x28\x09data",
)


def units(*content: bytes) -> bytes:
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in content)


def configuration() -> memoryview:
    item = coded(noise(64, 128), "HEIC")
    return memoryview(next(row for row in item.properties if row[4:8] == b"hvcC"))[8:]


def test_the_size_is_that_of_the_parameter_set() -> None:
    coding = hevc.read_configuration(configuration()).coding

    assert (coding.width, coding.height, coding.bits, coding.grey) == (128, 64, 8, False)


def test_grey_and_subsampled_pictures_are_told_apart() -> None:
    for image, options, grey in (
        (noise(64, 64).convert("L"), {}, True),
        (noise(64, 64), {"chroma": 420}, False),
        (noise(64, 64), {"chroma": 422}, False),
    ):
        item = coded(image, "HEIC", **options)
        body = memoryview(next(row for row in item.properties if row[4:8] == b"hvcC"))[8:]
        coding = hevc.read_configuration(body).coding
        assert (coding.width, coding.height, coding.bits, coding.grey) == (64, 64, 8, grey)


def test_a_configuration_that_is_cut_or_changed_is_refused_by_name() -> None:
    whole = bytes(configuration())

    for end in range(len(whole) - 3):
        with pytest.raises(PermanentError):
            hevc.read_configuration(memoryview(whole[:end]))
    for at in range(len(whole)):
        for value in (0, 0x7F, 0xFF):
            changed = whole[:at] + bytes([value]) + whole[at + 1 :]
            try:
                hevc.read_configuration(memoryview(changed))
            except PermanentError:
                continue


def test_what_the_record_states_a_second_time_is_not_passed_on() -> None:
    whole = bytes(configuration())
    expected = hevc.read_configuration(memoryview(whole)).record

    for at in range(21):
        lie = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        assert hevc.read_configuration(memoryview(lie)).record == expected


def test_a_second_size_is_corrupt_whatever_it_is_called() -> None:
    one, other = (
        next(row for row in coded(noise(*size), "HEIC").properties if row[4:8] == b"hvcC")[8:]
        for size in ((64, 64), (64, 128))
    )
    renamed = other[23:].replace(b"\xa1", b"\xa0")  # its size is in an array of another type
    content = one[:22] + bytes([one[22] + other[22]]) + one[23:] + renamed

    for body in (one, other):
        assert hevc.read_configuration(memoryview(body))
    with pytest.raises(CorruptMedia, match="state no size, or more than one"):
        hevc.read_configuration(memoryview(content))


def test_the_size_of_another_layer_does_not_count() -> None:
    one, other = (
        next(row for row in coded(noise(*size), "HEIC").properties if row[4:8] == b"hvcC")[8:]
        for size in ((64, 64), (64, 128))
    )
    deeper = other[23:].replace(b"\x42\x01", b"\x42\x09")
    content = one[:22] + bytes([one[22] + other[22]]) + one[23:] + deeper

    read = hevc.read_configuration(memoryview(content))

    assert read.coding == hevc.read_configuration(memoryview(one)).coding
    assert b"\x42\x09" not in read.record


def padded(left: int, right: int) -> memoryview:
    """Return the configuration of 512 × 64 pixels with so many units of padding, of two pixels."""
    fields = (0, 1, 512, 64)  # number, chroma 4:2:0, width, height
    padding = "".join(map(exponential, (left, right, 0, 0)))
    depths = exponential(0) * 2
    bits = "0" * 8 + "1" * 96 + "".join(map(exponential, fields)) + "1" + padding + depths
    unit = b"\x42\1" + int(bits.ljust(240, "1"), 2).to_bytes(30, "big")
    parameters = b"\x21\0\1" + len(unit).to_bytes(2, "big") + unit
    return memoryview(bytes(21) + b"\3\1" + parameters)


def exponential(number: int) -> str:
    digits = f"{number + 1:b}"
    return "0" * (len(digits) - 1) + digits


def test_a_picture_is_padded_by_a_block_at_most() -> None:
    coding = hevc.read_configuration(padded(1, 31)).coding

    assert (coding.width, coding.height) == (448, 64)
    with pytest.raises(CorruptMedia, match="most of its pixels are padding"):
        hevc.read_configuration(padded(2, 31))


def test_only_slices_of_the_picture_reach_the_decoder() -> None:
    content = units(PARAMETERS, SLICE, MESSAGE, OTHER_LAYER, SLICE)

    assert hevc.picture_data(content, 4) == units(SLICE, SLICE)


def test_lengths_of_two_bytes_are_widened() -> None:
    assert hevc.picture_data(len(SLICE).to_bytes(2, "big") + SLICE, 2) == units(SLICE)


@pytest.mark.parametrize(
    "content",
    [b"", units(PARAMETERS), units(SLICE)[:-1], units(SLICE) + b"\0\0\0\1x", units(b"\x28"),
     units(SLICE + b"\0\0\0data"), units(SLICE + b"\0\0\1data"), units(SLICE + bytes(64))],
)  # fmt: skip
def test_missing_pixels_are_corrupt(content: bytes) -> None:
    with pytest.raises(CorruptMedia, match="damaged HEIC"):
        hevc.picture_data(content, 4)


def test_bytes_that_encoders_write_are_kept() -> None:
    for unit in (SLICE + b"\0\0\3\1data", SLICE + b"\0\0\3\0\0\3", SLICE + b"\0\0"):
        assert hevc.picture_data(units(unit), 4) == units(unit)
