"""Read `_faces.json`, and write the vectors with the document that says whose they are."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from typing import Final

from safetensors.numpy import save

from containers.face_embedder.spec import Vectors
from pipeline.artifacts import ArtifactStore, Location
from pipeline.contracts.faces import (
    EmbeddingsDocument,
    EmbedFaces,
    Face,
    FaceFile,
    FaceFileKind,
    FacesDocument,
    output_key,
)

VECTORS: Final = "embeddings"  # the one tensor of the file
_MOST_BYTES: Final = 8 * 2**20  # 500 faces with 68 landmarks take about 2 MB
_MOST_FACES: Final = 500
_MOST_LANDMARKS: Final = 68
_JSON: Final = "application/json"
_SAFETENSORS: Final = "application/octet-stream"  # no type is registered


def read_faces(job: EmbedFaces, store: ArtifactStore) -> FacesDocument:
    """Return the job's `_faces.json`.

    Raises ValueError if it is not what the analyzer wrote of this photo: a fault of the platform.
    """
    if job.faces.bytes > _MOST_BYTES:
        raise ValueError(f"{job.faces.uri} has more than {_MOST_BYTES:,} bytes")
    try:
        content = store.read(Location.parse(job.faces.uri))
    except KeyError:
        raise ValueError(
            f"{job.faces.uri} is gone: it expires after a day, and is deleted with its photo; "
            "start the job again"
        ) from None
    if hashlib.sha256(content).hexdigest() != job.faces.sha256:
        raise ValueError(f"{job.faces.uri} is not what was written")
    document = FacesDocument.model_validate_json(content)
    if (document.width, document.height) != (job.source.width, job.source.height):
        raise ValueError(f"{job.faces.uri} is about a photo of another size")
    if len(document.faces) > _MOST_FACES:
        raise ValueError(f"{job.faces.uri} has more than {_MOST_FACES} faces")
    for face in document.faces:
        if len(face.landmarks) > _MOST_LANDMARKS or not all(map(math.isfinite, _numbers(face))):
            raise ValueError(f"{job.faces.uri} has an impossible face")
    return document


def store_embeddings(
    vectors: Vectors, document: EmbeddingsDocument, job: EmbedFaces, store: ArtifactStore
) -> tuple[FaceFile, ...]:
    """Write `faces.embeddings.safetensors` and `faces.embeddings.json` to the work bucket.

    The vectors' one line of metadata is `source`, the photo's SHA-256. With several, the library
    would write them in an order that changes from run to run, and so would the file's checksum.
    """
    tensors = save({VECTORS: vectors}, metadata={"source": job.source.sha256})
    said = document.model_dump_json(by_alias=True).encode()

    def write(kind: FaceFileKind, extension: str, content: bytes, media_type: str) -> FaceFile:
        place = Location(job.work_bucket, f"{job.work_prefix}/faces.embeddings.{extension}")
        return FaceFile(
            kind=kind,
            media_type=media_type,
            artifact=store.write(place, content, media_type=media_type),
            work_key=place.key,
            output_key=output_key(job.output_stem, kind),
        )

    return (
        write("embeddings", "safetensors", tensors, _SAFETENSORS),
        write("embedded", "json", said, _JSON),
    )


def _numbers(face: Face) -> Iterator[float]:
    box = face.detection.box
    yield from (box.x, box.y, box.width, box.height, face.detection.score)
    for point in face.landmarks:
        yield from point
