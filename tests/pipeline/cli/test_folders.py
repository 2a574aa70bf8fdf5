"""`matteline run` on a person's folders: nothing is doubled, replaced, skipped or half written."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.pictures import png, square, unpng
from tests.pipeline.cli.conftest import Matteline

MODEL = ("--model", "brightness", "--refine", "none")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(png(square(left=8)))
    (tmp_path / "photos" / "dog.png").write_bytes(png(square(left=56)))
    return tmp_path / "photos"


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def left_of(cutout: Path) -> int:
    """Return the left edge of the square that was cut out, in pixels."""
    (columns,) = (unpng(cutout.read_bytes())[48, :, 3] > 127).nonzero()
    return int(columns.mean()) - 15


def test_a_folder_that_holds_its_own_results_does_not_double(
    matteline: Matteline, folder: Path
) -> None:
    first = matteline("run", str(folder), "-o", str(folder), "--outputs", "cutout,mask", *MODEL)
    once = names(folder)
    second = matteline("run", str(folder), "-o", str(folder), "--format", "webp", *MODEL)
    twice = names(folder)
    third = matteline(
        "run", *map(str, sorted(folder.iterdir())), "-o", str(folder / "webp"), *MODEL
    )

    assert [done.returncode for done in (first, second, third)] == [0, 0, 0]
    assert len(once) == 2 + 2 * 3 + 1
    added = {name for name in twice - once if name.endswith(".webp")}
    assert added == {"cat_bg_removed.webp", "dog_bg_removed.webp"}
    assert "SKIPPED 7 (written by Matteline): " in second.stdout
    assert {name for name in names(folder) - twice if name.endswith(".png")} == {
        "webp/cat_bg_removed.png",
        "webp/dog_bg_removed.png",
        "webp/contact-sheet.png",
    }


@pytest.mark.usefixtures("folder")
def test_photos_of_one_name_do_not_replace_each_others_results(
    matteline: Matteline, tmp_path: Path
) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "cat.png").write_bytes(png(square(left=40)))
    output = tmp_path / "out"

    runs = [
        matteline("run", *(str(tmp_path / name) for name in given), "-o", str(output), *MODEL)
        for given in (["photos"], ["more"], ["more", "photos"])
    ]

    assert [done.returncode for done in runs] == [0, 0, 0]
    cutouts = {path.name: left_of(path) for path in output.glob("*_bg_removed.png")}
    assert cutouts == {
        "cat_bg_removed.png": 8,
        "cat.png_bg_removed.png": 40,
        "dog_bg_removed.png": 56,
    }


def test_a_file_of_the_users_is_never_replaced(matteline: Matteline, folder: Path) -> None:
    (folder / "cat_bg_removed.png").write_bytes(png(square(left=40)))
    (folder / "contact-sheet.png").write_bytes(png(square(left=41)))

    done = matteline("run", str(folder), "-o", str(folder), *MODEL)

    assert done.returncode == 1
    told = re.sub(r"[\s│]", "", done.stdout)
    assert "cat_bg_removed.png:notwrittenbyMatteline" in told
    assert (folder / "cat_bg_removed.png").read_bytes() == png(square(left=40))
    assert (folder / "contact-sheet.png").read_bytes() == png(square(left=41))
    assert left_of(folder / "dog_bg_removed.png") == 56
    assert left_of(folder / "cat_bg_removed_bg_removed.png") == 40


def test_what_is_no_photo_is_named_and_what_may_be_one_is_a_failure(
    matteline: Matteline, folder: Path, tmp_path: Path
) -> None:
    (folder / "notes.txt").write_text("Dear diary")
    (folder / ".DS_Store").touch()
    (folder / "self").symlink_to(folder)

    done = matteline("run", str(folder), "-o", str(tmp_path / "out"), *MODEL)
    (folder / "broken.png").symlink_to("nowhere")
    broken = matteline("run", str(folder), "-o", str(tmp_path / "out"), *MODEL)
    given = matteline("run", *map(str, folder.iterdir()), "-o", str(tmp_path / "out"), *MODEL)

    assert (done.returncode, broken.returncode) == (0, 1)
    for name in ("notes.txt", ".DS_Store", "self"):
        assert f"photos/{name}" in done.stdout
    assert "broken.png" in broken.stdout
    assert "UNREADABLE" in broken.stdout
    assert "does not exist" in given.stderr


def test_a_folder_without_photos_is_a_wrong_command(matteline: Matteline, folder: Path) -> None:
    for photo in folder.iterdir():
        photo.rename(photo.with_name(f".{photo.name}"))

    done = matteline("run", str(folder), "-o", str(folder / "out"), *MODEL)

    assert done.returncode == 2
    assert "SKIPPED 2 (hidden)" in done.stdout
    assert not (folder / "out").exists()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_and_reports_what_is_finished(
    environment: dict[str, str], folder: Path, tmp_path: Path, stop: signal.Signals
) -> None:
    for number in range(300):
        (folder / f"{number:03}.png").write_bytes(png(square(left=8)))
    output = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "run", str(folder), "-o", str(output), *MODEL],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not list(output.glob("*.json")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)

    process.send_signal(stop)
    shown, errors = process.communicate(timeout=60)

    assert process.returncode == 130, shown + errors
    assert "Traceback" not in errors
    finished = len(list(output.glob("*.json")))
    assert "DONE" in shown
    assert f"{302 - finished} of 302 photos were not finished" in shown
    assert len(list(output.glob("*_bg_removed.png"))) == finished
    assert not list(output.glob(".*"))
    assert "contact-sheet-01.png" in shown
