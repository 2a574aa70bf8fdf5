"""`matteline run` on a user's folder: nothing is passed over in silence, or half written."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.pictures import png, square
from tests.pipeline.cli.conftest import Matteline

MODEL = ("--model", "brightness", "--refine", "none")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(png(square(left=8)))
    return tmp_path / "photos"


def test_every_file_of_a_folder_is_accounted_for(matteline: Matteline, folder: Path) -> None:
    users = png(square(left=40))
    (folder / "cat_bg_removed.png").write_bytes(users)
    (folder / "contact-sheet.png").write_bytes(users)
    (folder / "notes.txt").write_text("Dear diary")
    (folder / ".DS_Store").touch()
    (folder / "self").symlink_to(folder)
    (folder / "broken.png").symlink_to("nowhere")

    first = matteline("run", str(folder), "-o", str(folder), *MODEL)
    given = matteline("run", *map(str, folder.iterdir()), "-o", str(folder), *MODEL)

    assert first.returncode == 1
    for name in ("notes.txt", ".DS_Store", "self"):
        assert f"photos/{name}" in first.stdout
    told = re.sub(r"[\s│]", "", first.stdout)
    assert f"UNREADABLE{folder}/broken.png:" in told
    assert "cat_bg_removed.png:notwrittenbyMatteline" in told
    assert "contact-sheet.png:notwrittenbyMatteline" in told
    assert "Of 4 files: 2 DONE" in first.stdout
    assert (folder / "cat_bg_removed.png").read_bytes() == users
    assert (folder / "contact-sheet.png").read_bytes() == users
    assert "does not exist" in given.stderr


def test_a_folder_without_photos_is_a_wrong_command(matteline: Matteline, folder: Path) -> None:
    for photo in folder.iterdir():
        photo.rename(photo.with_name(f".{photo.name}"))

    done = matteline("run", str(folder), "-o", str(folder / "out"), *MODEL)

    assert done.returncode == 2
    assert "SKIPPED 1 (hidden)" in done.stdout
    assert not (folder / "out").exists()


def test_an_interrupted_run_keeps_and_reports_what_is_finished(
    environment: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    for number in range(119):
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

    process.send_signal(signal.SIGTERM)  # `up` is sent SIGINT in a test of its own
    shown, errors = process.communicate(timeout=60)

    assert process.returncode == 130, shown + errors
    assert "Traceback" not in errors
    finished = len(list(output.glob("*.json")))
    assert "DONE" in shown
    assert f"{120 - finished} of 120 files were not finished" in shown
    assert len(list(output.glob("*_bg_removed.png"))) == finished
    assert not list(output.glob(".*"))
    assert "contact-sheet-01.png" in shown
