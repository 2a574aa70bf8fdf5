"""`python -m containers.face_embedder.selftest`: small networks find red squares and embed them.

They have the inputs and outputs of published networks, and 26 kB (`standin/`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from safetensors.numpy import load

from containers.face_embedder.documents import VECTORS
from containers.face_embedder.handler import handler
from pipeline.artifacts import Location
from pipeline.contracts.faces import EmbeddingsDocument, FacesEmbedded
from pipeline.declared.models import ModelRow
from pipeline.golden import Row
from pipeline.model_context import catalogue_of
from pipeline.selftest import Trial, selftest
from pipeline.task import equip
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Workbench

STANDIN: Final = Path(__file__).parent / "standin"
ROWS: Final = ("squares", "landmarks")  # one of each engine


def check(trial: Trial) -> None:
    bench = trial.bench
    settings = replace(bench.settings, catalogue_overlays=(STANDIN / "catalogue.toml",))
    bench = Workbench(root=bench.root, settings=settings, store=bench.store)
    equip(bench)
    for name in ROWS:
        row = catalogue_of(bench, "face-embedder").row(name)
        _stage(trial, row)

        result = trial.run(handler, FacesEmbedded, row=Row(name, row.engine.name, row.weights_key))

        vectors, document = (trial.read(file.artifact) for file in result.files)
        said = EmbeddingsDocument.model_validate_json(document)
        rows = [(face.face, face.row) for face in said.faces if face.row is not None]
        trial.expect(f"{name}: rows", sorted(rows), [(0, 0), (1, 1)])
        lengths = np.linalg.norm(load(vectors)[VECTORS], axis=1).round(5).tolist()
        trial.expect(f"{name}: lengths", lengths, [1.0, 1.0])


def _stage(trial: Trial, row: ModelRow) -> None:
    """Write the networks to the models bucket, as the downloader would."""
    staged = []
    for file in row.files:
        place = Location("models", f"{row.weights_prefix}/{file.name}")
        artifact = trial.put(place, (STANDIN / file.name).read_bytes())
        staged.append(
            StagedFile(name=file.name, digest=file.digest, source="selftest", artifact=artifact)
        )
    record = StagedWeights(model=row.name, licence=row.licence, files=tuple(staged))
    trial.put(Location("models", row.weights_key), record.model_dump_json().encode())


if __name__ == "__main__":
    selftest("face-embedder", check)
