"""`python -m containers.face_analyzer.selftest`: small networks find and describe squares.

They have the inputs and outputs of face-api's, and 54 kB (`squares/`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from containers.face_analyzer.handler import handler
from pipeline.contracts.faces import FacesAnalyzed, FacesDocument
from pipeline.model_context import catalogue_of
from pipeline.selftest import Trial, selftest

NAME: Final = "squares"
SQUARES: Final = Path(__file__).parent / "squares"


def check(trial: Trial) -> None:
    bench = trial.offer(SQUARES / "catalogue.toml")
    row = catalogue_of(bench, "face-analyzer").row(NAME)
    result = trial.run(handler, FacesAnalyzed, row=trial.stage(row, SQUARES))

    document = FacesDocument.model_validate_json(trial.read(result.faces))
    boxes = sorted(
        tuple(round(side) for side in (box.x, box.y, box.width, box.height))
        for box in (face.detection.box for face in document.faces)
    )
    trial.expect("boxes", boxes, [(40, 80, 40, 40), (160, 80, 80, 80)])
    genders = sorted(face.age_and_gender.gender for face in document.faces if face.age_and_gender)
    trial.expect("genders", genders, ["female", "male"])
    trial.expect("files", [file.kind for file in result.files], ["faces", "preview", "redacted"])


if __name__ == "__main__":
    selftest("face-analyzer", check)
