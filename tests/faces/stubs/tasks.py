"""Both tasks of the faces machine, and the staging of their weights."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from pipeline.artifacts import ArtifactStore, Location
from pipeline.contracts.faces import (
    AnalyzeFaces,
    Box,
    Detection,
    EmbeddedFace,
    EmbeddingsDocument,
    EmbedFaces,
    Face,
    FaceFile,
    FaceFileKind,
    FacesAnalyzed,
    FacesDocument,
    FacesEmbedded,
    output_key,
)
from pipeline.contracts.weights import StageWeights, WeightsStaged
from pipeline.declared.catalogue import load_catalogue
from pipeline.task import task
from pipeline.workbench import TaskContext, read_source
from tests.faces.stubs.script import Script
from tests.transcripts.stubs.tasks import stage as stage_others

ROOT: Final = Path(__file__).parents[3]
SECRET: Final = 0.123456789  # in every box: it may be nowhere but in files of faces
DIMENSION: Final = 128
_DIGEST: Final = "0" * 64
_MODELS: Final = frozenset(
    row.name
    for container in ("face-analyzer", "face-embedder")
    for row in load_catalogue(ROOT).rows_of(container)
)


def stage(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Stage weights: a stub's without fetching them, any other as with stubs of recordings."""
    staged = stage_stub if event["model"] in _MODELS else stage_others
    return staged(event, context)


@task(StageWeights)
def stage_stub(job: StageWeights, context: TaskContext) -> WeightsStaged:
    """Write a record of the weights."""
    place = Location(job.models_bucket, load_catalogue(ROOT).row(job.model).weights_key)
    record = context.store.write(place, b"{}", media_type="application/json")
    return WeightsStaged(model=job.model, manifest=record, already_staged=False)


@task(AnalyzeFaces)
def analyze_faces(job: AnalyzeFaces, context: TaskContext) -> FacesAnalyzed:
    """Return as many faces as the photo says, and the pictures that are asked for."""
    script = Script.read(read_source(context.store, job.source))
    script.act(job, context.store)
    box = Box(x=SECRET, y=1, width=8, height=8)
    face = Face(detection=Detection(box=box, score=0.9), landmarks=())
    document = FacesDocument(
        width=job.source.width,
        height=job.source.height,
        faces=(face,) * script.faces,
        model=job.model,
        weights_sha256=_DIGEST,
    )
    faces = _file(job, context.store, "faces", document.model_dump_json(by_alias=True).encode())
    files = [faces]
    if job.options.preview:
        files.append(_file(job, context.store, "preview", b"a preview"))
    if job.options.redact:
        files.append(_file(job, context.store, "redacted", b"nobody", extension=".png"))
    return FacesAnalyzed(
        faces=faces.artifact,
        files=tuple(files),
        count=script.faces,
        model=job.model,
        weights_sha256=_DIGEST,
        metrics={"faces": float(script.faces)},
    )


@task(EmbedFaces)
def embed_faces(job: EmbedFaces, context: TaskContext) -> FacesEmbedded:
    """Return a vector of every face but the last, which is rejected.

    A vector depends on the photo's `padding` and on which face it is.
    """
    script = Script.read(read_source(context.store, job.source))
    script.act(job, context.store)
    found = FacesDocument.model_validate_json(context.store.read(Location.parse(job.faces.uri)))
    kept = max(0, len(found.faces) - 1)
    vectors = save({"embeddings": _vectors(script.padding, kept)})
    document = EmbeddingsDocument(
        dimension=DIMENSION,
        same_above=0.9,
        faces=tuple(
            EmbeddedFace(
                face=index,
                detection=face.detection,
                row=index if index < kept else None,
                rejected=None if index < kept else "too small",
            )
            for index, face in enumerate(found.faces)
        ),
        model=job.model,
        weights_sha256=_DIGEST,
    )
    described = document.model_dump_json(by_alias=True).encode()
    return FacesEmbedded(
        files=(
            _file(job, context.store, "embeddings", vectors),
            _file(job, context.store, "embedded", described),
        ),
        count=kept,
        rejected=len(found.faces) - kept,
        dimension=DIMENSION,
        model=job.model,
        weights_sha256=_DIGEST,
    )


def _vectors(who: str, count: int) -> npt.NDArray[np.float32]:
    """Return vectors of length 1 (count × dimension), the same each time."""
    seeds = [zlib.crc32(f"{who}/{row}".encode()) for row in range(count)]
    found = [np.random.default_rng(seed).normal(size=DIMENSION) for seed in seeds]
    rows = np.array([each / np.linalg.norm(each) for each in found], np.float32)
    return rows.reshape(count, DIMENSION)


def _file(
    job: AnalyzeFaces | EmbedFaces,
    store: ArtifactStore,
    kind: FaceFileKind,
    content: bytes,
    *,
    extension: str = "",
) -> FaceFile:
    key = output_key(job.output_stem, kind, extension=extension)
    work_key = f"{job.work_prefix}/{kind}{extension}"
    place = Location(job.work_bucket, work_key)
    artifact = store.write(place, content, media_type="application/octet-stream")
    return FaceFile(
        kind=kind,
        media_type="application/octet-stream",
        artifact=artifact,
        work_key=work_key,
        output_key=key,
    )
