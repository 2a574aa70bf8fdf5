"""Weights that may not be used commercially are not even fetched until somebody accepts that."""

from __future__ import annotations

from pathlib import Path

import pytest

from containers.model_downloader.handler import handler
from pipeline.artifacts import LocalStore
from pipeline.contracts.weights import StageWeights, WeightsStaged
from pipeline.errors import LicenseNotAccepted
from pipeline.weights.staged import StagedWeights
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.models import Shelf


def stage(shelf: Shelf, folder: Path, **accepted: tuple[str, ...]) -> WeightsStaged:
    settings = Settings(
        catalogue_overlays=(shelf.catalogue,),
        weights_mirror=shelf.mirror,
        scratch=folder / "scratch",
        **accepted,  # type: ignore[arg-type]
    )
    bench = Workbench(root=ROOT, settings=settings, store=LocalStore(folder / "store"))
    job = StageWeights(schema_version=1, model="research", models_bucket="models", force=False)
    return handler.__wrapped__(job, TaskContext(bench))  # type: ignore[attr-defined, no-any-return]


def test_they_are_refused_and_nothing_is_stored(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(LicenseNotAccepted, match=r"research are under CC-BY-NC-4\.0"):
        stage(shelf, tmp_path)

    assert list(tmp_path.rglob("*.onnx")) == []


def test_they_are_staged_with_their_licence_once_it_is_accepted(
    shelf: Shelf, tmp_path: Path
) -> None:
    staged = stage(shelf, tmp_path, accepted_licences=("CC-BY-NC-4.0",))

    (manifest,) = tmp_path.rglob("manifest.json")
    assert staged.model == "research"
    assert StagedWeights.model_validate_json(manifest.read_bytes()).licence == "CC-BY-NC-4.0"
