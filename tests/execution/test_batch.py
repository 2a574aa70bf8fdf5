"""A batch brings every photo home, whatever happens to its neighbours."""

from __future__ import annotations

from pathlib import Path

from pipeline.session.batch import Outcome, Photo, cut_out
from tests.execution.driver import Driver
from tests.pictures import png, square, unpng


def test_a_photo_that_cannot_be_read_does_not_hold_up_the_others(
    driver: Driver, tmp_path: Path
) -> None:
    (tmp_path / "cat.png").write_bytes(png(square()))
    photos = [Photo(tmp_path / f"{name}.png", name) for name in ("gone", "cat")]
    told: list[Outcome] = []

    outcomes = cut_out(
        driver.cloud, photos, options={}, output=tmp_path / "out", on_progress=told.append
    )

    assert [(row.photo.name, row.status) for row in outcomes] == [
        ("gone", "UNREADABLE"),
        ("cat", "DONE"),
    ]
    assert "gone.png" in outcomes[0].reason
    assert outcomes[1].picture is not None
    assert unpng(outcomes[1].picture.read_bytes())[48, 48, 3] == 255
    assert len(told) == 2


def test_names_no_key_can_hold_and_names_too_long_to_write_are_told_apart(
    driver: Driver, tmp_path: Path
) -> None:
    odd, long = "new\nline [x].png", "x" * 245 + ".png"
    for name in (odd, long):
        (tmp_path / name).write_bytes(png(square()))

    outcomes = cut_out(
        driver.cloud,
        [Photo(tmp_path / odd, "odd"), Photo(tmp_path / long, "x" * 245)],
        options={},
        output=tmp_path / "out",
        on_progress=lambda _: None,
    )

    assert [row.status for row in outcomes] == ["DONE", "UNWRITABLE"]
    assert (tmp_path / "out" / "odd_bg_removed.png").is_file()


def test_options_of_a_batch_reach_its_photos(driver: Driver, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(png(square()))

    (outcome,) = cut_out(
        driver.cloud,
        [Photo(tmp_path / "cat.png", "pets/cat")],
        options={"format": "webp", "outputs": "mask,cutout"},
        output=tmp_path / "out",
        on_progress=lambda _: None,
    )

    assert outcome.picture == tmp_path / "out" / "pets" / "cat_bg_removed.webp"
    made = {path.name for path in (tmp_path / "out" / "pets").iterdir()}
    assert outcome.done
    assert made == {"cat_bg_removed.webp", "cat_mask.png", "cat_bg_removed.json"}
