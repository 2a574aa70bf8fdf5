"""A mask is read from the work bucket exactly as it was written."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from containers.edge_refiner.work_bucket import read_mask
from pipeline.artifacts import LocalStore, Location
from pipeline.photo.encoding import encode


def test_a_mask_is_read_as_it_was_stored(tmp_path: Path) -> None:
    mask = np.arange(256, dtype=np.uint8).reshape(8, 32)
    store = LocalStore(tmp_path)
    content = encode(mask, picture_format="png")
    artifact = store.write(Location("work", "mask.png"), content, media_type="image/png")

    np.testing.assert_array_equal(read_mask(store, artifact), mask, strict=True)
