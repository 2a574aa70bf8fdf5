"""`python -m containers.face_analyzer.selftest`: small networks find and describe squares.

They have the inputs and outputs of face-api's, and 54 kB (`squares/`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from containers.face_analyzer.handler import handler
from pipeline.artifacts import Location
from pipeline.contracts.faces import FacesAnalyzed, FacesDocument
from pipeline.declared.models import ModelRow
from pipeline.golden import Row
from pipeline.model_context import catalogue_of
from pipeline.selftest import Trial, selftest
from pipeline.task import equip
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Workbench

NAME: Final = "squares"
SQUARES: Final = Path(__file__).parent / "squares"


def check(trial: Trial) -> None:
    bench = trial.bench
    settings = replace(bench.settings, catalogue_overlays=(SQUARES / "catalogue.toml",))
    bench = Workbench(root=bench.root, settings=settings, store=bench.store)
    equip(bench)
    row = catalogue_of(bench, "face-analyzer").row(NAME)
    _stage(trial, row)

    facts = Row(NAME, row.engine.name, row.weights_key)
    result = trial.run(handler, FacesAnalyzed, row=facts)

    document = FacesDocument.model_validate_json(trial.read(result.faces))
    boxes = sorted(
        tuple(round(side) for side in (box.x, box.y, box.width, box.height))
        for box in (face.detection.box for face in document.faces)
    )
    trial.expect("boxes", boxes, [(40, 80, 40, 40), (160, 80, 80, 80)])
    genders = sorted(face.age_and_gender.gender for face in document.faces if face.age_and_gender)
    trial.expect("genders", genders, ["female", "male"])
    trial.expect("files", [file.kind for file in result.files], ["faces", "preview", "redacted"])


def _stage(trial: Trial, row: ModelRow) -> None:
    """Write the networks to the models bucket, as the downloader would."""
    staged = []
    for file in row.files:
        place = Location("models", f"{row.weights_prefix}/{file.name}")
        artifact = trial.put(place, (SQUARES / file.name).read_bytes())
        staged.append(
            StagedFile(name=file.name, digest=file.digest, source="selftest", artifact=artifact)
        )
    record = StagedWeights(model=row.name, licence=row.licence, files=tuple(staged))
    trial.put(Location("models", row.weights_key), record.model_dump_json().encode())


if __name__ == "__main__":
    selftest("face-analyzer", check)
