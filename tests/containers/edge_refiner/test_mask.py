"""A mask comes from the store as it went in, and is enlarged evenly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from containers.edge_refiner import mask as masks
from containers.edge_refiner.mask import doubt_of, enlarge_mask, read_mask, settle
from pipeline.artifacts import LocalStore, Location
from pipeline.photo.pixels import encode
from tests.containers.edge_refiner import coarse_mask, disk


def test_a_mask_is_read_back_as_it_was_stored(tmp_path: Path) -> None:
    mask = np.arange(256, dtype=np.uint8).reshape(8, 32)
    store = LocalStore(tmp_path)
    content = encode(mask, picture_format="png")
    artifact = store.write(Location("work", "mask.png"), content, media_type="image/png")

    np.testing.assert_array_equal(read_mask(store, artifact), mask, strict=True)


def test_the_band_reaches_three_mask_pixels_beyond_doubt() -> None:
    mask = np.zeros((5, 20), dtype=np.uint8)
    mask[:, 10:] = 255

    columns = np.flatnonzero(doubt_of(mask).all(axis=0))

    assert columns.tolist() == list(range(6, 14))


@pytest.mark.parametrize("side", [7, 64, 300])
def test_an_enlarged_mask_does_not_depend_on_its_tiles(
    side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = coarse_mask(disk(200), 40)
    whole = enlarge_mask(mask, (301, 257))

    monkeypatch.setattr(masks, "_SIDE", side)

    np.testing.assert_allclose(enlarge_mask(mask, (301, 257)), whole, atol=1.1 / 255)


def test_where_a_mask_leaves_no_doubt_it_is_all_or_nothing() -> None:
    mask = np.full((40, 40), 9, dtype=np.uint8)
    mask[:, 20:] = 250
    doubt = doubt_of(mask)

    settled = settle(mask, doubt)

    assert set(settled[doubt == 0].tolist()) == {0, 255}
    np.testing.assert_array_equal(settled[doubt > 0], mask[doubt > 0])
