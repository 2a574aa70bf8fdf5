"""`matteline models tune` measures a task in processes with the memory of each size."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from pipeline.cli import tune
from pipeline.cli.models import models
from pipeline.cli.tuning_picture import draw
from pipeline.errors import InvalidOptions
from pipeline.operations.tuning import Size, Tuning
from pipeline.session.choice import ModelChoice
from pipeline.session.row_memory import write_memory
from tests.conftest import ROOT
from tests.models import Shelf
from tests.pictures import png, square
from tests.pipeline.cli.conftest import Matteline

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
TOO_SMALL, ENOUGH, LARGE = 128, 1769, 3538
SVG = {"svg": "http://www.w3.org/2000/svg"}


class Run:
    def __init__(self, done: subprocess.CompletedProcess[str], output: Path) -> None:
        self.done = done
        (written,) = output.glob("tune-*.json")
        self.figures: dict[str, Any] = json.loads(written.read_text())
        self.sizes = {size["memory_mb"]: size for size in self.figures["sizes"]}


@pytest.fixture(scope="module")
def golden(matteline: Matteline, tmp_path_factory: pytest.TempPathFactory) -> Run:
    output = tmp_path_factory.mktemp("golden")
    sizes = f"{LARGE},{TOO_SMALL},{ENOUGH}"
    done = matteline(
        "models", "tune", "starter", "--memory", sizes, "--repeats", "2", "-o", str(output)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Run(done, output)


def test_each_size_has_time_price_memory_and_start(golden: Run) -> None:
    assert list(golden.sizes) == [TOO_SMALL, ENOUGH, LARGE]
    for memory_mb in (ENOUGH, LARGE):
        size = golden.sizes[memory_mb]
        assert size["error"] == ""
        assert 0 < size["seconds"] < 60
        assert 50 < size["peak_mb"] < ENOUGH
        assert size["start_s"] > 0
        assert size["load_s"] > 0
        expected = 1000 * (memory_mb / 1024 * size["seconds"] * 0.0000166667 + 0.0000002)
        assert size["dollars_per_1000"] == pytest.approx(expected)
    assert golden.sizes[ENOUGH]["calculated"] is False


def test_too_little_memory_is_a_result(golden: Run) -> None:
    size = golden.sizes[TOO_SMALL]

    assert (size["error"], size["seconds"]) == ("OutOfMemory", None)
    assert "OutOfMemory" in golden.done.stdout


def test_the_line_of_the_row_is_printed(golden: Run) -> None:
    proposed = golden.figures["proposed_mb"]

    assert proposed in {ENOUGH, LARGE}
    assert f"\n  memory_mb = {proposed}\n" in golden.done.stdout
    assert "The golden event is small" in golden.done.stdout


def test_a_given_photo_is_processed_and_the_row_is_written(
    matteline: Matteline, shelf: Shelf, tmp_path: Path
) -> None:
    photo, catalogue = tmp_path / "cat.png", tmp_path / "own.toml"
    photo.write_bytes(png(square()))
    shutil.copy(shelf.catalogue, catalogue)
    before = tomllib.loads(catalogue.read_text())["models"]

    done = matteline(
        "models", "tune", "brightness", "--input", str(photo), "--memory", str(ENOUGH),
        "--repeats", "1", "--write", "-o", str(tmp_path), MATTELINE_CATALOGUE=str(catalogue),
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    run = Run(done, tmp_path)
    assert run.figures["given"] == "cat.png"
    assert 0 < run.sizes[ENOUGH]["seconds"] < 60
    assert "golden event" not in done.stdout
    after = tomllib.loads(catalogue.read_text())["models"]
    assert after == [
        row | ({"memory_mb": ENOUGH} if row["name"] == "brightness" else {}) for row in before
    ]


def test_the_golden_event_cannot_lower_the_memory() -> None:
    proposed = TUNING.proposed
    assert proposed
    said: list[str] = []

    with pytest.raises(click.ClickException, match="golden event is small"):
        tune._write(TUNING, proposed, ModelChoice(), said.append)
    assert said == []


def test_a_model_that_sees_nothing_in_the_golden_event_needs_a_file(
    matteline: Matteline, tmp_path: Path
) -> None:
    done = matteline("models", "tune", "brightness", "--memory", str(ENOUGH), "-o", str(tmp_path))

    assert done.returncode == 1
    assert "NoSubject" in done.stdout
    assert "gives no result with this model: pass files with --input" in done.stdout


def test_a_file_that_the_model_never_sees_is_an_error(matteline: Matteline, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no photo")

    done = matteline(
        "models", "tune", "brightness", "--input", str(tmp_path / "notes.txt"),
        "--memory", str(ENOUGH), "-o", str(tmp_path),
    )  # fmt: skip

    assert done.returncode == 2
    assert "cutout did not use brightness: UnsupportedMedia" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["u2nett"], "did you mean 'u2net'?", id="misspelt-model"),
        pytest.param(["u2netp", "--memory", "64"], "128 to 10240 MB, not 64", id="too-small"),
        pytest.param(["u2netp", "--memory", "1,x"], "not a list of numbers", id="no-number"),
        pytest.param(["u2netp", "--prefer", "sped"], "did you mean 'speed'", id="misspelt-wish"),
        pytest.param(
            ["u2netp", "--stage", "dev", "--input", __file__],
            "--input works here only",
            id="input-on-a-stage",
        ),
    ],
)
def test_wrong_use_is_refused(arguments: list[str], says: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(models, ["tune", *arguments, "-o", str(tmp_path)])

    assert done.exit_code != 0
    assert says in f"{done.output}{done.exception}"


TUNING = Tuning(
    model="u2netp",
    container="background-remover",
    where="Lambda in us-east-1 (dev)",
    cores=None,
    given="<golden & event>",
    golden=True,
    present_mb=2048,
    prefer="cost",
    sizes=(
        Size(1024, error="OutOfMemory"),
        Size(1769, seconds=2.0, peak_mb=900, calculated=True),
        Size(3538, seconds=1.9, peak_mb=900),
    ),
)


def test_the_picture_is_whole_and_marks_the_proposed_size() -> None:
    picture = draw(TUNING)

    root = ET.fromstring(picture)  # noqa: S314 - our own
    rings = root.findall(".//svg:circle[@class='proposed']", SVG)
    texts = [text.text for text in root.findall(".//svg:text", SVG)]
    assert len(rings) == 2, "one in each chart"
    assert {"1,024", "1,769", "3,538", "<golden & event>"} <= set(texts)
    assert "proposed: 1769 MB" in str(root.findtext("svg:desc", namespaces=SVG))
    assert "href" not in picture, "it needs no other file"


def test_without_any_result_there_is_a_picture_too() -> None:
    failed = Tuning(**(vars(TUNING) | {"sizes": TUNING.sizes[:1]}))

    assert "no size is proposed" in draw(failed)


CATALOGUE = """\
[[models]] # first
name = "one"
memory_mb = 1024 # why

[[models]]
name = "two"
memory_mb = 2_048 # 512 MB and a photo
"""


def test_only_the_memory_of_one_row_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[[models]]\nname = "other"\nmemory_mb = 1024\n')
    path = tmp_path / "b.toml"
    path.write_text(CATALOGUE)

    assert write_memory([tmp_path / "a.toml", path], "two", 3008) == path

    assert path.read_text() == CATALOGUE.replace("2_048", "3008")


@pytest.mark.parametrize(
    "row",
    [
        pytest.param('name = "two"\n', id="no-memory"),
        pytest.param('x = """\nmemory_mb = 1\n"""\nname = "two"\n', id="only-in-a-text"),
    ],
)
def test_a_row_that_is_written_in_another_way_is_left_alone(tmp_path: Path, row: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(f"[[models]]\n{row}")

    with pytest.raises(InvalidOptions, match="by hand"):
        write_memory([path], "two", 3008)
    assert path.read_text() == f"[[models]]\n{row}"


def test_every_shipped_row_can_be_written(tmp_path: Path) -> None:
    for shipped in sorted(ROOT.glob("containers/*/models.toml")):
        copy = tmp_path / f"{shipped.parent.name}.toml"
        shutil.copy(shipped, copy)
        for row in tomllib.loads(shipped.read_text())["models"]:
            write_memory([copy], row["name"], 4242)
        assert {row["memory_mb"] for row in tomllib.loads(copy.read_text())["models"]} == {4242}
