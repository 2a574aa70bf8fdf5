"""Read the vectors that the output record of a `faces` job names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from containers.vector_index.enrolling.vectors import read_at_most, read_vectors
from containers.vector_index.stored.rows import Vectors
from pipeline.artifacts import Artifact, ArtifactStore, Location
from pipeline.contracts.collection import Skip
from pipeline.contracts.faces import EmbeddedFace, EmbeddingsDocument, FaceFileKind
from pipeline.errors import EmbeddingMismatch

SUFFIX: Final = "_faces.record.json"
_MOST_RECORD: Final = 2**20
_MOST_DOCUMENT: Final = 8 * 2**20


class Skipped(Exception):
    """Nothing of a record can be enrolled, and why."""

    def __init__(self, why: Skip) -> None:
        super().__init__(why)
        self.why = why


class Photo(NamedTuple):
    """The version of an object that a record is about."""

    bucket: str
    key: str
    version_id: str | None
    sha256: str


class FaceRow(NamedTuple):
    """A face with a vector: its row among a record's vectors, its subject, and the face."""

    row: int
    subject: int
    face: EmbeddedFace


class Embedded(NamedTuple):
    """The faces of a photo that have vectors (n × dimension, of length 1)."""

    record: str
    photo: Photo
    document: EmbeddingsDocument
    vectors: Vectors

    def faces(self) -> Iterator[FaceRow]:
        """Yield the faces with a vector, by row.

        The subject is the face's index in `_faces.json`; negative if that lacks the face.
        """
        rows = (each for each in self.document.faces if each.row is not None)
        for face in sorted(rows, key=lambda each: each.row or 0):
            row = face.row or 0
            yield FaceRow(row, -1 - row if face.face is None else face.face, face)


class _Record(BaseModel):
    """What is read of an output record; it says more."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class _Source(_Record):
    bucket: str
    key: str
    version_id: str | None
    sha256: str


class _File(_Record):
    kind: FaceFileKind
    uri: str
    sha256: str
    bytes: int

    @property
    def artifact(self) -> Artifact:
        return Artifact(uri=self.uri, sha256=self.sha256, bytes=self.bytes)


class _FacesRecord(_Record):
    product: Literal["faces"]
    job_id: str
    source: _Source
    files: tuple[_File, ...]


def read_record(
    store: ArtifactStore, output_bucket: str, key: str, *, job_id: str | None = None
) -> Embedded:
    """Return what the record with this key says.

    Raises Skipped if it has no vectors, no face that is clear enough for one, or is that of another
    job than `job_id`.
    """
    record = _read(store, Location(output_bucket, key))
    if job_id not in (None, record.job_id):
        raise Skipped("no record")
    files = {each.kind: each.artifact for each in record.files if _is_in(output_bucket, each)}
    if not files.keys() >= {"embeddings", "embedded"}:
        raise Skipped("no vectors")
    document = _document(store, files["embedded"])
    try:
        vectors = read_vectors(store, files["embeddings"])
    except KeyError:
        raise Skipped("no vectors") from None
    except EmbeddingMismatch:
        raise Skipped("other vectors") from None
    rows = [each.row for each in document.faces if each.row is not None]
    if sorted(rows) != list(range(len(vectors))) or vectors.shape[1] != document.dimension:
        raise Skipped("other vectors")
    if not rows:
        raise Skipped("no clear face")
    source = record.source
    photo = Photo(source.bucket, source.key, source.version_id, source.sha256)
    return Embedded(key, photo, document, vectors)


def is_current(store: ArtifactStore, photo: Photo) -> bool:
    """Return True if a photo's key holds the version that was read, or the same bytes."""
    place = Location(photo.bucket, photo.key)
    digest = hashlib.sha256()
    try:
        latest = store.stat(place)
        if latest.version_id is not None and latest.version_id == photo.version_id:
            return True
        if latest.archive is not None:  # another version, which cannot be read to compare
            return False
        for chunk in store.stream(place._replace(version_id=latest.version_id)):
            digest.update(chunk)
    except KeyError:
        return False
    return digest.hexdigest() == photo.sha256


def _read(store: ArtifactStore, location: Location) -> _FacesRecord:
    if not location.key.endswith(SUFFIX):
        raise Skipped("no record")
    try:
        content = read_at_most(store, location, _MOST_RECORD)
        return _FacesRecord.model_validate_json(content or b"")
    except (KeyError, ValidationError):
        raise Skipped("no record") from None


def _is_in(output_bucket: str, file: _File) -> bool:
    return file.uri.startswith(f"s3://{output_bucket}/")


def _document(store: ArtifactStore, file: Artifact) -> EmbeddingsDocument:
    try:
        content = read_at_most(store, Location.parse(file.uri), min(file.bytes, _MOST_DOCUMENT))
    except KeyError:
        raise Skipped("no vectors") from None
    if content is None or hashlib.sha256(content).hexdigest() != file.sha256:
        raise Skipped("no vectors")
    try:
        document = EmbeddingsDocument.model_validate_json(content)
    except ValidationError:
        raise Skipped("other vectors") from None
    numbers = [number for each in document.faces for number in _numbers(each)]
    if not np.isfinite([document.same_above, *numbers]).all():
        raise Skipped("other vectors")
    return document


def _numbers(face: EmbeddedFace) -> tuple[float, ...]:
    box = face.detection.box
    return box.x, box.y, box.width, box.height, face.detection.score
