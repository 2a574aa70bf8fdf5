"""`python -m containers.background_remover.selftest`: find a drawn subject with the starter."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from containers.background_remover.handler import handler
from pipeline.artifacts import Location
from pipeline.contracts.cutout import BackgroundRemoved
from pipeline.declared.models import ModelRow
from pipeline.golden import Row
from pipeline.model_context import catalogue_of
from pipeline.selftest import Trial, selftest
from pipeline.weights.staged import StagedFile, StagedWeights

WEIGHTS: Final = Path(__file__).parent / "starter" / "starter.onnx"


def check(trial: Trial) -> None:
    row = catalogue_of(trial.bench).row("starter")
    _stage(trial, row)

    facts = Row(row.name, row.engine.name, row.weights_key)
    result = trial.run(handler, BackgroundRemoved, row=facts)

    trial.expect("weights", f"sha256:{result.weights_sha256}", row.files[0].digest)


def _stage(trial: Trial, row: ModelRow) -> None:
    """Write the published network to the models bucket, as the downloader would."""
    (file,) = row.files
    place = Location("models", f"{row.weights_prefix}/{file.name}")
    artifact = trial.put(place, WEIGHTS.read_bytes())
    staged = StagedFile(name=file.name, digest=file.digest, source="selftest", artifact=artifact)
    weights = StagedWeights(model=row.name, licence=row.licence, files=(staged,))
    trial.put(Location("models", row.weights_key), weights.model_dump_json().encode())


if __name__ == "__main__":
    selftest("background-remover", check)
