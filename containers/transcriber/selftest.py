"""`python -m containers.transcriber.selftest`: a small Whisper writes the golden recording down."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Final

from containers.transcriber.handler import handler
from containers.transcriber.small_whisper import build_whisper
from pipeline.artifacts import ArtifactStore, Location
from pipeline.contracts.transcript import Transcribed
from pipeline.golden import Row
from pipeline.selftest import Trial, selftest
from pipeline.task import equip
from pipeline.weights.staged import StagedFile, StagedWeights
from pipeline.workbench import Workbench

NAME: Final = "small-whisper"
WORDS: Final = (" One,", " two,", " three.", " Testing", " the", " trans", "criber.")
FILES: Final = ("model.bin", "config.json", "tokenizer.json", "vocabulary.json")


def check(trial: Trial) -> None:
    bench, folder = trial.bench, trial.bench.settings.scratch / "small"
    build_whisper(folder, WORDS)
    overlay = folder / "catalogue.toml"
    overlay.write_text(row_of(folder))
    settings = replace(bench.settings, catalogue_overlays=(overlay,))
    equip(Workbench(root=bench.root, settings=settings, store=bench.store))
    key = stage(folder, bench.store)

    result = trial.run(handler, Transcribed, row=Row(NAME, "whisper", key))

    trial.expect("words", result.metrics["words"], 6.0)


def row_of(folder: Path, name: str = NAME) -> str:
    """Return a catalogue with the row of the model in a folder."""
    lines = [
        "[[models]]", f'name = "{name}"', 'container = "transcriber"', 'summary = "For tests."',
        'engine = "whisper"', 'licence = "MIT"', "commercial = true", "memory_mb = 512",
        "whisper = { translates = true }",
    ]  # fmt: skip
    for file in FILES:
        digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        lines += ["[[models.files]]", f'name = "{file}"', f'digest = "sha256:{digest}"']
    return "\n".join(lines)


def stage(folder: Path, store: ArtifactStore, name: str = NAME) -> str:
    """Write the model to the models bucket, as the downloader would; return its record's key."""
    staged = []
    for file in FILES:
        place = Location("models", f"{name}/{file}")
        artifact = store.write(place, (folder / file).read_bytes(), media_type="")
        digest = f"sha256:{artifact.sha256}"
        staged.append(StagedFile(name=file, digest=digest, source="selftest", artifact=artifact))
    record = StagedWeights(model=name, licence="MIT", files=tuple(staged))
    place = Location("models", f"{name}/manifest.json")
    store.write(place, record.model_dump_json().encode(), media_type="")
    return place.key


if __name__ == "__main__":
    selftest("transcriber", check)
