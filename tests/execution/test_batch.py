"""A batch brings every photo home, and replaces neither a file of the user's nor another result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.session import batch
from pipeline.session.batch import MediaFile, Outcome
from pipeline.session.collecting import OWN, collect
from pipeline.session.media import PHOTO
from pipeline.session.run_messages import RunModels, RunRequest, TranscriptProgress
from pipeline.session.running_cloud import attached
from pipeline.session.runs import serving_runs
from tests.execution.driver import Driver
from tests.pictures import png, square, unpng


@pytest.fixture
def port(driver: Driver) -> Iterator[int]:
    """Return the port of a cloud that serves runs."""
    with serving_runs(driver.cloud, {}, lambda _: RunModels(()), shared=False):
        yield driver.cloud.server.port


def photo(path: Path, name: str) -> MediaFile:
    return MediaFile(path, name, PHOTO)


def cut_out(
    port: int, photos: Sequence[MediaFile], *, options: dict[str, str], **more: Any
) -> list[Outcome]:
    with attached(port, RunRequest({}, None, [PHOTO.product])) as cloud:
        return batch.process(cloud, photos, options={PHOTO.product: options}, **more)


def test_a_photo_that_cannot_be_read_does_not_hold_up_the_others(port: int, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(png(square()))
    photos = [photo(tmp_path / f"{name}.png", name) for name in ("gone", "cat")]
    told: list[Outcome | TranscriptProgress] = []

    outcomes = cut_out(port, photos, options={}, output=tmp_path / "out", on_progress=told.append)

    assert [(row.file.name, row.status) for row in outcomes] == [
        ("gone", "UNREADABLE"),
        ("cat", "DONE"),
    ]
    assert "gone.png" in outcomes[0].reason
    assert outcomes[1].shown is not None
    assert unpng(outcomes[1].shown.read_bytes())[48, 48, 3] == 255
    assert len(told) == 2


def test_names_no_key_can_hold_and_names_too_long_to_write_are_told_apart(
    port: int, tmp_path: Path
) -> None:
    odd, long = "new\nline [x].png", "x" * 245 + ".png"
    for name in (odd, long):
        (tmp_path / name).write_bytes(png(square()))

    outcomes = cut_out(
        port,
        [photo(tmp_path / odd, "odd"), photo(tmp_path / long, "x" * 245)],
        options={},
        output=tmp_path / "out",
        on_progress=lambda _: None,
    )

    assert [row.status for row in outcomes] == ["DONE", "UNWRITABLE"]
    assert (tmp_path / "out" / "odd_bg_removed.png").is_file()


def test_options_of_a_batch_reach_its_photos(port: int, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(png(square()))

    (outcome,) = cut_out(
        port,
        [photo(tmp_path / "cat.png", "pets/cat")],
        options={"format": "webp", "outputs": "mask,cutout"},
        output=tmp_path / "out",
        on_progress=lambda _: None,
    )

    assert outcome.shown == tmp_path / "out" / "pets" / "cat_bg_removed.webp"
    made = {path.name for path in (tmp_path / "out" / "pets").iterdir()}
    assert outcome.done
    assert made == {"cat_bg_removed.webp", "cat_mask.png", "cat_bg_removed.json"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with two photos."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(png(square(left=8)))
    (tmp_path / "photos" / "dog.png").write_bytes(png(square(left=56)))
    return tmp_path / "photos"


def run(port: int, *given: Path, output: Path, **options: str) -> tuple[list[str], list[Path]]:
    """Cut out files and folders; return the status of each photo, and the files passed over."""
    found = collect(given, output=output)
    outcomes = cut_out(
        port,
        found.files,
        options={"refine": "none", **options},
        output=output,
        on_progress=lambda _: None,
    )
    skipped = [each.path for each in found.skipped if each.why == OWN]
    return [outcome.status for outcome in outcomes], skipped


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def left_of(cutout: Path) -> int:
    """Return the left edge of the square that was cut out, in pixels."""
    (columns,) = (unpng(cutout.read_bytes())[48, :, 3] > 127).nonzero()
    return int(columns.mean()) - 15


def test_a_folder_that_holds_its_own_results_does_not_double(port: int, folder: Path) -> None:
    first = run(port, folder, output=folder, outputs="cutout,mask")
    once = names(folder)
    second = run(port, folder, output=folder, format="webp")
    twice = names(folder)
    third = run(port, *sorted(folder.iterdir()), output=folder / "webp")

    assert first == (["DONE", "DONE"], [])
    assert len(once) == 2 + 2 * 3
    assert (second[0], len(second[1])) == (["DONE", "DONE"], 6)
    added = {name for name in twice - once if name.endswith(".webp")}
    assert added == {"cat_bg_removed.webp", "dog_bg_removed.webp"}
    assert third[0] == ["DONE", "DONE"]
    assert {name for name in names(folder) - twice if name.endswith(".png")} == {
        "webp/cat_bg_removed.png",
        "webp/dog_bg_removed.png",
    }


def test_photos_of_one_name_do_not_replace_each_others_results(
    port: int, folder: Path, tmp_path: Path
) -> None:
    more, output = tmp_path / "more", tmp_path / "out"
    more.mkdir()
    (more / "cat.png").write_bytes(png(square(left=40)))

    runs = [run(port, *given, output=output)[0] for given in ([folder], [more], [more, folder])]

    assert runs == [["DONE"] * 2, ["DONE"], ["DONE"] * 3]
    cutouts = {path.name: left_of(path) for path in output.glob("*_bg_removed.png")}
    assert cutouts == {
        "cat_bg_removed.png": 8,
        "cat.png_bg_removed.png": 40,
        "dog_bg_removed.png": 56,
    }


def test_a_file_of_the_users_is_never_replaced(port: int, folder: Path) -> None:
    users = png(square(left=40))
    (folder / "cat_bg_removed.png").write_bytes(users)

    statuses, _ = run(port, folder, output=folder)

    assert sorted(statuses) == ["DONE", "DONE", "UNWRITABLE"]
    assert (folder / "cat_bg_removed.png").read_bytes() == users
    assert left_of(folder / "dog_bg_removed.png") == 56
    assert left_of(folder / "cat_bg_removed_bg_removed.png") == 40
