"""A person's own file becomes a row that says what was found out and nothing it was not told."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from containers.background_remover.saliency import SaliencySpec
from pipeline.contracts.weights import NetworkDescription
from pipeline.declared.catalogue import load_catalogue
from pipeline.declared.models import ModelRow
from pipeline.errors import InvalidOptions
from pipeline.session.own_model import Wishes, describe_row
from tests.conftest import ROOT
from tests.models import SHIPPED

FOUND = NetworkDescription(
    input_size=320,
    output_name="saliency",
    output_shape=(1, 1, 320, 320),
    lowest=0.0,
    highest=1.0,
    peak_mb=100.0,
)
WISHES = Wishes(
    name="mine",
    summary='A "model" of ours: größer.',
    licence="MIT",
    commercial=False,
    scale="max",
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    activation=None,
)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "shelf" / "w.onnx"
    path.parent.mkdir()
    path.write_bytes(b"weights")
    return path


def described(
    path: Path,
    found: NetworkDescription = FOUND,
    wishes: Wishes = WISHES,
    *,
    catalogue: Path | None = None,
) -> str:
    return describe_row(path, found, wishes, shipped=SHIPPED, catalogue=catalogue)


def row(text: str) -> ModelRow:
    return SHIPPED.with_rows(tomllib.loads(text)["models"], Path()).row("mine")


def test_a_row_says_what_it_was_told_and_what_was_found_out(weights: Path) -> None:
    made = row(described(weights))

    assert (made.name, made.summary, made.licence) == ("mine", WISHES.summary, "MIT")
    assert (made.engine.name, made.commercial) == ("saliency", False)
    assert made.spec(SaliencySpec).model_dump() == {
        "input_size": 320,
        "scale": "max",
        "mean": WISHES.mean,
        "std": WISHES.std,
        "activation": "none",
    }
    (file,) = made.files
    assert (file.name, file.bytes) == ("w.onnx", 7)
    assert file.digest == f"sha256:{hashlib.sha256(b'weights').hexdigest()}"
    assert file.urls == (weights.as_uri(),)


@pytest.mark.parametrize(
    ("lowest", "highest", "wished", "expected"),
    [
        (0.0, 1.0, None, "none"),
        (-0.1, 0.9, None, "sigmoid"),
        (0.0, 7.0, None, "sigmoid"),
        (0.0, 7.0, "none", "none"),
        (0.0, 1.0, "sigmoid", "sigmoid"),
    ],
)
def test_what_leaves_0_to_1_is_a_logit_unless_told_otherwise(
    weights: Path, lowest: float, highest: float, wished: Any, expected: str
) -> None:
    found = FOUND.model_copy(update={"lowest": lowest, "highest": highest})

    made = row(described(weights, found, replace(WISHES, activation=wished)))

    assert made.spec(SaliencySpec).activation == expected


@pytest.mark.parametrize(("peak_mb", "memory_mb"), [(0, 1024), (1, 1280), (99_999, 10_240)])
def test_memory_is_what_one_run_took_and_a_large_photo(
    weights: Path, peak_mb: float, memory_mb: int
) -> None:
    found = FOUND.model_copy(update={"peak_mb": peak_mb})

    assert row(described(weights, found)).memory_mb == memory_mb


def test_a_catalogue_above_its_files_may_be_moved_with_them(weights: Path, tmp_path: Path) -> None:
    catalogue = tmp_path / "own.toml"
    catalogue.write_text(described(weights, catalogue=catalogue))
    tmp_path = tmp_path.rename(tmp_path.with_name("moved"))

    made = load_catalogue(ROOT, [tmp_path / "own.toml"]).row("mine")

    assert made.files[0].urls == ((tmp_path / "shelf" / "w.onnx").as_uri(),)


def test_a_catalogue_elsewhere_names_the_whole_path(weights: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "own.toml"

    made = row(described(weights, catalogue=elsewhere))

    assert made.files[0].urls == (weights.as_uri(),)


@pytest.mark.parametrize("name", ["My Net", "", "my_net"])
def test_a_name_that_makes_no_row_is_refused(weights: Path, name: str) -> None:
    with pytest.raises(InvalidOptions, match="name: "):
        described(weights, wishes=replace(WISHES, name=name))


def test_a_file_cannot_write_rows_by_the_names_in_it(weights: Path) -> None:
    found = FOUND.model_copy(update={"output_name": 'x\n[[models]]\nname = "other"'})

    assert row(described(weights, found)).name == "mine"
