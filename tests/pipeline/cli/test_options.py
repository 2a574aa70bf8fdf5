"""Points and boxes become prompts, and non-commercial licences are accepted by name."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from pipeline.cli.options import prompt_metadata
from pipeline.declared.catalogue import load_catalogue
from tests.conftest import ROOT
from tests.models import Shelf
from tests.pictures import png, square
from tests.pipeline.cli.conftest import Matteline

LICENCE = "CC-BY-NC-4.0"


@pytest.mark.parametrize(
    ("points", "boxes", "prompts"),
    [
        (["412,280"], [], [{"points": [{"x": 412, "y": 280}]}]),
        (
            ["0.5,0.25", "30, 20 , 0", "1,2,1 "],
            [],
            [
                {
                    "points": [
                        {"x": 0.5, "y": 0.25},
                        {"x": 30, "y": 20, "label": 0},
                        {"x": 1, "y": 2},
                    ]
                }
            ],
        ),
        ([], ["1,2,3,4"], [{"box": {"x0": 1, "y0": 2, "x1": 3, "y1": 4}}]),
        (
            ["5,6"],
            ["1,2,9,9"],
            [{"points": [{"x": 5, "y": 6}], "box": {"x0": 1, "y0": 2, "x1": 9, "y1": 9}}],
        ),
        (
            [],
            ["1,2,3,4", "5,6,7,8"],
            [
                {"box": {"x0": 1, "y0": 2, "x1": 3, "y1": 4}},
                {"box": {"x0": 5, "y0": 6, "x1": 7, "y1": 8}},
            ],
        ),
    ],
)
def test_points_and_boxes_become_prompts(
    points: list[str], boxes: list[str], prompts: list[dict[str, object]]
) -> None:
    assert json.loads(prompt_metadata(points, boxes)["prompts"]) == prompts


def test_without_points_and_boxes_there_is_no_metadata() -> None:
    assert prompt_metadata([], []) == {}


def test_the_longest_prompts_fit_into_the_metadata_of_an_object() -> None:
    point, box = f"{1 / 3},{-1e-100 / 3},0", ",".join([f"{1e100 / 3}"] * 4)

    longest = [prompt_metadata([point] * 16, [box]), prompt_metadata([], [box] * 8)]

    assert max(len(one["prompts"]) for one in longest) < 1_700


@pytest.mark.parametrize(
    ("points", "boxes", "says"),
    [
        (["412"], [], "--point 412: write X,Y"),
        (["1,2,3"], [], "--point 1,2,3: write X,Y, or X,Y,0 for the background"),
        (["1,2,0,0"], [], "--point 1,2,0,0"),
        (["left,top"], [], "--point left,top"),
        (["nan,1"], [], "--point nan,1"),
        ([], ["1,2,3"], "--box 1,2,3: write X0,Y0,X1,Y1"),
        ([], ["1,2,3,inf"], "--box 1,2,3,inf"),
        (["1,2"], ["1,2,3,4", "5,6,7,8"], "use --point with at most one --box"),
        (["1,2"] * 17, [], "at most 16 --point"),
        ([], ["1,2,3,4"] * 9, "or 8 --box"),
    ],
)
def test_an_invalid_point_or_box_is_named(points: list[str], boxes: list[str], says: str) -> None:
    with pytest.raises(click.UsageError) as refusal:
        prompt_metadata(points, boxes)

    assert says in refusal.value.message


@pytest.fixture
def photo(tmp_path: Path) -> str:
    (tmp_path / "cat.png").write_bytes(png(square()))
    return str(tmp_path / "cat.png")


@pytest.mark.parametrize("accepted", [(), ("--accept-licence", "CC-BY-NC-3.0")])
def test_a_model_whose_licence_is_not_accepted_is_a_usage_error(
    matteline: Matteline, photo: str, tmp_path: Path, accepted: tuple[str, ...]
) -> None:
    done = matteline("run", photo, "-o", str(tmp_path / "out"), "--model", "research", *accepted)

    assert done.returncode == 2
    assert f"LicenseNotAccepted: the weights of research are under {LICENCE}" in done.stderr
    assert "--accept-licence" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_accepted_licence_reaches_every_container(
    matteline: Matteline, photo: str, tmp_path: Path
) -> None:
    accepted = ("--accept-licence", LICENCE)

    done = matteline("run", photo, "-o", str(tmp_path / "out"), "--model", "research", *accepted)

    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "out" / "cat_bg_removed.png").exists()


def test_models_list_marks_models_whose_licence_is_not_accepted(matteline: Matteline) -> None:
    without = matteline("models", "list")
    accepted = matteline("models", "list", MATTELINE_ACCEPTED_LICENCES=f"MIT {LICENCE}")
    shipped = {row.name for row in load_catalogue(ROOT).rows if not row.commercial}

    # A row's name, its summary, then what to know before choosing it.
    lines = without.stdout.splitlines()
    marked = [at for at, line in enumerate(lines) if "Licence not accepted" in line]
    assert {lines[at - 2].split()[0] for at in marked} == {"research", *shipped}
    assert accepted.stdout.count("Licence not accepted") == len(shipped)


def test_a_model_whose_licence_is_not_accepted_is_never_the_default(
    matteline: Matteline, shelf: Shelf, photo: str, tmp_path: Path
) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "research.onnx").symlink_to(shelf.folder / "research.onnx")
    unreachable = tmp_path / "models.toml"
    row = shelf.catalogue.read_text().split("[[models]]")[1].replace("brightness", "u2netp")
    unreachable.write_text(f"[[models]]{row}")
    catalogue = f"{shelf.catalogue}:{unreachable}"
    out = str(tmp_path / "out")

    done = matteline(
        "run", photo, "-o", out,
        MATTELINE_WEIGHTS_MIRROR=str(tmp_path / "mirror"), MATTELINE_CATALOGUE=catalogue,
    )  # fmt: skip

    assert "Model: starter" in done.stdout
