"""The largest photo that is accepted is cut out, within the memory its functions have."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from pipeline.artifacts import LocalStore, Location
from pipeline.declared.containers import load_container
from pipeline.photo.limits import MAX_PIXELS
from tests.conftest import ROOT
from tests.hostile.case import CUTOUT, Note, saved
from tests.hostile.desk import Desk
from tests.models import Shelf


@pytest.mark.timeout(170)
def test_a_photo_of_exactly_100_megapixels_is_cut_out(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Note
) -> None:
    # Beside what this process holds of other tests.
    memory_mb = load_container(ROOT / "containers" / "edge_refiner").memory_mb + 1024
    desk = Desk(LocalStore(tmp_path / "store"), shelf, tmp_path, memory_mb=memory_mb)
    desk.sit_down(monkeypatch)
    image = Image.new("L", (12_500, MAX_PIXELS // 12_500))
    image.paste(250, (5_000, 3_000, 9_000, 6_000))
    content = saved(image, "PNG", compress_level=1)
    desk.store.write(Location("photos", "vast.png"), content, media_type="")

    end = desk.run({"bucket": "photos", "key": "vast.png"})

    record_property("end", end.name)
    assert end.name == CUTOUT, end.message
    cutout = end.pictures["cutout"]
    assert cutout.shape == (8_000, 12_500, 4)
    assert cutout[4_500, 7_000].tolist() == [250, 250, 250, 255]
    assert cutout[200, 200, 3] == 0
