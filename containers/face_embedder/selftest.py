"""`python -m containers.face_embedder.selftest`: small networks find red squares and embed them.

They have the inputs and outputs of published networks, and 26 kB (`standin/`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from safetensors.numpy import load

from containers.face_embedder.documents import VECTORS
from containers.face_embedder.handler import handler
from pipeline.contracts.faces import EmbeddingsDocument, FacesEmbedded
from pipeline.model_context import catalogue_of
from pipeline.selftest import Trial, selftest

STANDIN: Final = Path(__file__).parent / "standin"
ROWS: Final = ("squares", "landmarks")  # one of each engine


def check(trial: Trial) -> None:
    bench = trial.offer(STANDIN / "catalogue.toml")
    for name in ROWS:
        row = catalogue_of(bench, "face-embedder").row(name)
        result = trial.run(handler, FacesEmbedded, row=trial.stage(row, STANDIN))

        vectors, document = (trial.read(file.artifact) for file in result.files)
        said = EmbeddingsDocument.model_validate_json(document)
        rows = [(face.face, face.row) for face in said.faces if face.row is not None]
        trial.expect(f"{name}: rows", sorted(rows), [(0, 0), (1, 1)])
        lengths = np.linalg.norm(load(vectors)[VECTORS], axis=1).round(5).tolist()
        trial.expect(f"{name}: lengths", lengths, [1.0, 1.0])


if __name__ == "__main__":
    selftest("face-embedder", check)
