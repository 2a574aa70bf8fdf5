"""EmbedFaces: find the faces of a photo that are large and clear enough, and make their vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final

import numpy as np

from containers.face_embedder.documents import read_faces, store_embeddings
from containers.face_embedder.engines import Embedder, load_embedder
from containers.face_embedder.faces import Candidate, judged
from containers.face_embedder.network import Network
from containers.face_embedder.spec import CONTAINER, Pixels, Tensor, Vectors
from pipeline.contracts.faces import EmbeddedFace, EmbeddingsDocument, EmbedFaces, FacesEmbedded
from pipeline.errors import WeightsMismatch
from pipeline.model_context import catalogue_of
from pipeline.photo.pixels import decode
from pipeline.workbench import TaskContext, read_source

BATCH: Final = 8  # faces: a batch takes three quarters of the time of single faces


def embed_faces(job: EmbedFaces, context: TaskContext) -> FacesEmbedded:
    """Write a vector of each face that passes the row's limits; none is a success, too.

    Raises InvalidOptions if the analyzed faces lack what the model needs, an error of a Source…
    name, UnknownModel, WeightsNotStaged, WeightsMismatch or OutOfMemory.
    """
    row = catalogue_of(context.bench, CONTAINER).row(job.model)
    known = read_faces(job, context.store)
    with context.timed("model_load"):
        embedder = load_embedder(row, job, context)
    with context.timed("decode"):
        content = read_source(context.store, job.source)
        photo = decode(content, in_srgb=True, reserve=context.reserve).on_white()
    with context.timed("detect"):
        found = embedder.find(photo, known)
    with context.timed("align"):
        faces, crops = _cut(photo, [judged(each, embedder.spec) for each in found], embedder)
    with context.timed("embed"):
        vectors = _embedded(crops, embedder.network, embedder.spec.dimension)
    document = EmbeddingsDocument(
        dimension=embedder.spec.dimension,
        same_above=embedder.spec.same_above,
        faces=tuple(_told(faces)),
        model=row.name,
        weights_sha256=embedder.sha256,
    )
    with context.timed("store"):
        files = store_embeddings(vectors, document, job, context.store)
    return FacesEmbedded(
        files=files,
        count=len(vectors),
        rejected=len(faces) - len(vectors),
        dimension=embedder.spec.dimension,
        model=row.name,
        weights_sha256=embedder.sha256,
    )


def _cut(
    photo: Pixels, judged_faces: Sequence[Candidate], embedder: Embedder
) -> tuple[list[Candidate], list[Tensor]]:
    """Return the faces, and the pictures of those that are not rejected."""
    faces, crops = [], []
    for each in judged_faces:
        crop = None if each.rejected else embedder.cut(photo, each)
        if crop is not None:
            crops.append(crop)
        elif not each.rejected:
            each = each._replace(rejected="the photo shows too little of it")  # noqa: PLW2901
        faces.append(each)
    return faces, crops


def _embedded(crops: Sequence[Tensor], network: Network, dimension: int) -> Vectors:
    """Return one vector of length 1 for each picture (side × side × 3)."""
    batch = network.batch or BATCH
    vectors = [np.zeros((0, dimension), np.float32)]
    for start in range(0, len(crops), batch):
        pictures = np.stack(crops[start : start + batch]).transpose(0, 3, 1, 2)
        (answer,) = network(np.ascontiguousarray(pictures))
        network.require_shapes([answer], [(len(pictures), dimension)])
        vectors.append(answer)
    raw = np.concatenate(vectors).astype(np.float64)  # squares of float32 may be infinite
    lengths = np.linalg.norm(raw, axis=1, keepdims=True)
    if not lengths.all():
        raise WeightsMismatch(f"{network.name} returned a vector of length 0 for a face")
    unit: Vectors = (raw / lengths).astype(np.float32)
    return unit


def _told(faces: Sequence[Candidate]) -> Iterator[EmbeddedFace]:
    rows = count()
    for each in faces:
        yield EmbeddedFace(
            face=each.face,
            detection=each.detection,
            row=None if each.rejected else next(rows),
            rejected=each.rejected,
        )
