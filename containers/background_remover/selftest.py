"""`python -m containers.background_remover.selftest`: our own model finds a drawn subject."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from containers.background_remover.handler import handler
from pipeline.artifacts import Location
from pipeline.contracts.contract import SourcePhoto
from pipeline.contracts.cutout import BackgroundRemoved, RemoveBackground
from pipeline.declared.models import ModelRow
from pipeline.model_context import catalogue_of
from pipeline.photo.pixels import encode
from pipeline.selftest import Trial, selftest
from pipeline.weights.staged import StagedFile, StagedWeights

SIDE: Final = 320
SUBJECT: Final = (110, 60, 210, 260)
WEIGHTS: Final = Path(__file__).parent / "starter" / "starter.onnx"


def check(trial: Trial) -> None:
    row = catalogue_of(trial.bench).row("starter")
    _stage(trial, row)

    result = trial.run(handler, _job(trial, row), BackgroundRemoved)

    with Image.open(io.BytesIO(trial.read(result.mask))) as image:
        mask = np.asarray(image.resize((SIDE, SIDE)))
    left, top, right, bottom = SUBJECT
    inside = mask[top + 40 : bottom - 40, left + 20 : right - 20]
    trial.expect("weights", f"sha256:{result.weights_sha256}", row.files[0].digest)
    trial.expect("subject found", bool(inside.min() > 200), expected=True)
    trial.expect("background left out", bool(mask[:, : left // 2].max() < 50), expected=True)


def _stage(trial: Trial, row: ModelRow) -> None:
    """The published network in the models bucket, as the downloader leaves it."""
    (file,) = row.files
    place = Location("models", f"{row.weights_prefix}/{file.name}")
    artifact = trial.put(place, WEIGHTS.read_bytes())
    staged = StagedFile(name=file.name, digest=file.digest, source="selftest", artifact=artifact)
    weights = StagedWeights(model=row.name, licence=row.licence, files=(staged,))
    trial.put(Location("models", row.weights_key), weights.model_dump_json().encode())


def _job(trial: Trial, row: ModelRow) -> RemoveBackground:
    place = Location("ingest", "vase.png")
    photo = trial.put(place, _photo())
    source = SourcePhoto(
        **place._asdict(), etag="", sha256=photo.sha256, bytes=photo.bytes,
        media_type="image/png", width=SIDE, height=SIDE,
    )  # fmt: skip
    return RemoveBackground(
        schema_version=1, job_id="selftest", execution="selftest", source=source,
        model=row.name, prompts=(), models_bucket="models", weights_key=row.weights_key,
        work_bucket="work", work_prefix="selftest",
    )  # fmt: skip


def _photo() -> bytes:
    """A terracotta oval before a pale wall."""
    image = Image.new("RGB", (SIDE, SIDE), (214, 220, 226))
    ImageDraw.Draw(image).ellipse(SUBJECT, fill=(176, 74, 40))
    return encode(np.asarray(image), picture_format="png")


if __name__ == "__main__":
    selftest("background-remover", check)
