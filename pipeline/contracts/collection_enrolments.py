"""The jobs that enroll vectors in a collection, and their results."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.artifacts import Artifact
from pipeline.contracts.collection import (
    MOST_RECORDS,
    CollectionJob,
    CollectionName,
    Person,
    PersonFrom,
    Similarity,
    Skip,
)
from pipeline.contracts.contract import Contract, Result
from pipeline.contracts.faces import Box


class VectorsFile(Contract):
    """Unit vectors in a safetensors file, as the tensor `embeddings` (n × dimension, float32)."""

    vectors: Artifact
    model: str
    weights_sha256: str
    same_above: Similarity


class Entry(Contract):
    """One row of a `VectorsFile`, and what it stands for: a subject of an object in S3."""

    row: int
    bucket: str
    key: str
    version_id: str | None = None
    sha256: str
    subject: int  # which face of the photo, or which speaker of the recording
    box: Box | None = None
    score: float | None = None
    person: Person | None = None


class EnrollRecords(CollectionJob):
    """Enroll the faces that the output records of `faces` name.

    `records` are keys in the output bucket. All faces become `person`, or with `person_from` the
    photo's folder or its name; `faces` chooses some by their index in `_faces.json`. With `job_id`,
    a record of another job is none: two photos may share the key of their records.
    """

    action: Literal["enroll"]
    collection: CollectionName
    output_bucket: str
    records: Annotated[tuple[str, ...], Field(min_length=1, max_length=MOST_RECORDS)]
    job_id: str | None = None
    person: Person | None = None
    person_from: PersonFrom | None = None
    faces: tuple[int, ...] | None = None


class SkippedRecord(Contract):
    """A record of which nothing was enrolled, and why. It is a key, and no reason for an error."""

    record: str
    why: Skip


class Enrolled(Result):
    """`enrolled` counts vectors, `known` those that the collection had. `segments` it has now."""

    collection: str
    enrolled: int
    known: int
    skipped: tuple[SkippedRecord, ...]
    vectors: int
    segments: int
    compact: bool  # it is time to


class EnrollVectors(CollectionJob):
    """Enroll vectors of any model, such as speakers' centroids."""

    action: Literal["enroll"]
    collection: CollectionName
    file: VectorsFile
    entries: Annotated[tuple[Entry, ...], Field(min_length=1)]


class VectorsEnrolled(Enrolled):
    """As of records, of which there were none to skip."""
