"""A decoder gets new files of one coded picture each, whatever was uploaded."""

from __future__ import annotations

import pytest

from pipeline.photo.heif.boxes import box
from pipeline.photo.heif.items import read_items
from pipeline.photo.heif.picture import read_picture
from pipeline.photo.heif.still import write_still
from tests.pipeline.photo.heif.files import ALPHA, CODECS, Item, coded, file, grid, turned
from tests.pipeline.photo.pictures import noise

SECRET = b"12 Garden Lane"


@pytest.mark.parametrize("picture_format", CODECS)
def test_the_decoder_gets_one_picture_and_nothing_else(picture_format: str) -> None:
    tile = coded(noise(64, 64), picture_format).with_properties(box(b"pixi", SECRET))
    alpha = coded(noise(64, 64).convert("L"), picture_format).with_properties(ALPHA)
    content = file(
        [
            tile,
            grid(2, 1, 128, 64, (1, 1), turned(1)),
            alpha.referring(b"auxl", 2),
            Item(b"mime", SECRET, (), ((b"cdsc", (2,)),)),
            Item(b"iden", SECRET, (), ((b"dimg", (2,)),)),
        ],
        primary=2,
        extra=box(b"free", SECRET),
    )
    picture = read_picture(content + SECRET)
    assert picture.alpha is not None

    for layer in (picture.colours, picture.alpha):
        still = write_still(layer.still(layer.tiles[0]))
        items = read_items(still)
        assert items is not None
        assert {item: kind.name for item, kind in items.kinds.items()} == {
            1: CODECS[picture_format]
        }
        assert items.references == []
        assert {row.kind for row in items.all_properties} <= {
            b"hvcC", b"av1C", b"ispe", b"pixi", b"colr",
        }  # fmt: skip
        assert SECRET not in still
        assert read_picture(still).colours.coding == layer.coding
