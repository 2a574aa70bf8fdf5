"""AV1: the size comes from the sequence header, of stills and of sequences."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import CorruptMedia, PermanentError
from pipeline.photo.heif import av1
from pipeline.photo.heif.coding import Coding
from tests.pipeline.photo.heif.files import coded
from tests.pipeline.photo.pictures import noise

MOVING: dict[str, Any] = {"save_all": True, "append_images": [noise(64, 192)]}


@pytest.mark.parametrize("options", [{}, MOVING], ids=["still", "sequence"])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0", "4:0:0"])
def test_the_size_is_that_of_the_sequence_header(options: dict[str, Any], subsampling: str) -> None:
    item = coded(noise(64, 192), "AVIF", subsampling=subsampling, **options)
    grey = subsampling == "4:0:0"

    assert av1.read_coding(item.data)._replace(primaries=None, transfer=None) == Coding(
        192, 64, 8, grey
    )


def test_a_header_that_is_cut_or_changed_is_refused_by_name() -> None:
    whole = coded(noise(64, 64), "AVIF").data

    for end in range(12):
        with pytest.raises(CorruptMedia, match=r"damaged (AVIF|HEIF)"):
            av1.read_coding(whole[:end])
    for at in range(40):
        for value in (0, 0x7F, 0xFF):
            try:
                av1.read_coding(whole[:at] + bytes([value]) + whole[at + 1 :])
            except PermanentError:
                continue


def test_two_sizes_are_corrupt() -> None:
    both = coded(noise(64, 64), "AVIF").data + coded(noise(64, 128), "AVIF").data

    with pytest.raises(CorruptMedia, match="state no size, or more than one"):
        av1.read_coding(both)
