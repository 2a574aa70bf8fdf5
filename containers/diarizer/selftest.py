"""`python -m containers.diarizer.selftest`: small networks tell two tones apart.

They have the inputs and outputs of published networks, and 33 kB (`tones/`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from containers.diarizer.handler import handler
from pipeline.artifacts import Location
from pipeline.contracts.speakers import Diarized, PartSpeakers, part_key
from pipeline.declared.models import ModelRow
from pipeline.golden import Row
from pipeline.model_context import catalogue_of
from pipeline.selftest import Trial, selftest
from pipeline.task import equip
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Workbench

NAME: Final = "tones"
TONES: Final = Path(__file__).parent / "tones"


def check(trial: Trial) -> None:
    bench = trial.bench
    settings = replace(bench.settings, catalogue_overlays=(TONES / "catalogue.toml",))
    bench = Workbench(root=bench.root, settings=settings, store=bench.store)
    equip(bench)
    row = catalogue_of(bench, "diarizer").row(NAME)
    _stage(trial, row)

    trial.run(handler, Diarized, row=Row(NAME, row.engine.name, row.weights_key))

    key = part_key("selftest/golden", model=NAME, index=0)
    part = PartSpeakers.model_validate_json(bench.store.read(Location("work", key)))
    turns = [(turn.speaker, round(turn.start, 1), round(turn.end, 1)) for turn in part.turns]
    trial.expect("turns", turns, [(0, 60.2, 62.2), (1, 61.9, 63.9)])


def _stage(trial: Trial, row: ModelRow) -> None:
    """Write the networks to the models bucket, as the downloader would."""
    staged = []
    for file in row.files:
        place = Location("models", f"{row.weights_prefix}/{file.name}")
        artifact = trial.put(place, (TONES / file.name).read_bytes())
        staged.append(
            StagedFile(name=file.name, digest=file.digest, source="selftest", artifact=artifact)
        )
    record = StagedWeights(model=row.name, licence=row.licence, files=tuple(staged))
    trial.put(Location("models", row.weights_key), record.model_dump_json().encode())


if __name__ == "__main__":
    selftest("diarizer", check)
