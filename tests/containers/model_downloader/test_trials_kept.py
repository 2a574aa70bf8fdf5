"""A laptop does not repeat a trial run that the same bytes have passed there."""

from __future__ import annotations

import dataclasses
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from containers.model_downloader import staging, working_network
from pipeline.artifacts import LocalStore, Location
from pipeline.declared.catalogue import load_catalogue
from pipeline.weights.staged import StagedWeights
from pipeline.workbench import TaskContext, Workbench
from tests.conftest import ROOT
from tests.containers.model_downloader.desks import Bench, stage


class Laptop:
    """Stages `brightness` in new buckets, beside one folder of kept weights; counts the trials."""

    def __init__(self, bench: Bench, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._bench, self._folder = bench, folder
        self.kept = folder / "kept"
        self.trials = 0
        require = working_network.require_working_network

        def counted(*of: object) -> object:
            self.trials += 1
            return require(*of)  # type: ignore[arg-type]

        monkeypatch.setattr(staging, "require_working_network", counted)

    def stage(self, *, force: bool = False, kept: bool = True) -> StagedWeights:
        """Stage into an empty bucket, and keep what is there."""
        bucket = LocalStore(self._folder / "bucket")
        plain = self._bench(onto=bucket)
        settings = dataclasses.replace(plain.settings, kept=self.kept if kept else None)
        bench = Workbench(root=ROOT, settings=settings, store=bucket)
        made = stage(TaskContext(bench, ends_at=math.inf), "brightness", force=force)
        record = bucket.read(Location.parse(made.manifest.uri))
        shutil.rmtree(self.kept, ignore_errors=True)
        shutil.move(self._folder / "bucket" / "models", self.kept)
        return StagedWeights.parse(record, uri="")

    @property
    def records(self) -> Sequence[Path]:
        return list(self.kept.rglob("manifest.json"))


@pytest.fixture
def laptop(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Laptop:
    return Laptop(bench, tmp_path / "laptop", monkeypatch)


def test_a_passed_trial_is_not_repeated(laptop: Laptop) -> None:
    first, again, third = laptop.stage(), laptop.stage(), laptop.stage()

    assert laptop.trials == 1
    assert first.files[0].trial == again.files[0].trial == third.files[0].trial is not None


def test_force_tries_again(laptop: Laptop) -> None:
    laptop.stage()
    laptop.stage(force=True)

    assert laptop.trials == 2


def test_other_checks_try_again(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    laptop.stage()
    monkeypatch.setattr(working_network, "EDITION", working_network.EDITION + 1)
    laptop.stage()

    assert laptop.trials == 2


@pytest.mark.parametrize("field", ["sha256", "declared_sha256", "onnxruntime", "cpu"])
def test_a_record_of_anything_else_counts_for_nothing(laptop: Laptop, field: str) -> None:
    (file,) = laptop.stage().files
    assert file.trial is not None
    (path,) = laptop.records
    record = StagedWeights.parse(path.read_bytes(), uri="")
    trial, runtime = file.trial, file.trial.runtime
    changes: dict[str, dict[str, Any]] = {
        "sha256": {"artifact": file.artifact.model_copy(update={"sha256": "0" * 64})},
        "declared_sha256": {"trial": trial.model_copy(update={"declared_sha256": "0" * 64})},
        "onnxruntime": {"trial": trial.model_copy(update={"runtime": runtime.model_copy(
            update={"onnxruntime": "0"})})},
        "cpu": {"trial": trial.model_copy(update={"runtime": runtime.model_copy(
            update={"cpu": "abacus"})})},
    }  # fmt: skip
    files = (file.model_copy(update=changes[field]),)
    path.write_text(record.model_copy(update={"files": files}).model_dump_json())

    laptop.stage()

    assert laptop.trials == 2


def test_a_row_that_declares_something_else_has_another_trial() -> None:
    row = load_catalogue(ROOT).row("u2netp")
    other = row.model_copy(update={"table": {**row.table, "input_size": 352}})
    engine = row.engine.model_copy(update={"files": ()})

    trials = [
        working_network.passed_trial(each)
        for each in (row, other, row.model_copy(update={"engine": engine}))
    ]

    assert len({trial.declared_sha256 for trial in trials if trial}) == 3


def test_without_a_kept_folder_every_staging_tries(laptop: Laptop) -> None:
    records = [laptop.stage(kept=False) for _ in range(2)]

    assert laptop.trials == 2
    assert [record.files[0].trial for record in records] == [None, None]
