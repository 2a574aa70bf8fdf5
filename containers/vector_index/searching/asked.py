"""Read the vectors that a search is about, and those of the records that it searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from containers.vector_index.enrolling.records import Embedded, FaceRow, Skipped, read_record
from containers.vector_index.enrolling.vectors import read_vectors
from containers.vector_index.stored.rows import Vectors
from pipeline.artifacts import ArtifactStore
from pipeline.contracts.collection_enrolments import VectorsFile
from pipeline.contracts.collection_searches import MOST_QUERIES, RecordQuery, SearchVectors
from pipeline.contracts.faces import Box
from pipeline.errors import EmbeddingMismatch, InvalidOptions, SourceMissing
from pipeline.parallel import each

_NONE: Final = ("no vectors", "no clear face")


@dataclass(frozen=True, eq=False)
class Asked:
    """Vectors to look for (n × dimension, of length 1), what each is, and which model made them."""

    vectors: Vectors
    subjects: Sequence[tuple[int, Box | None]]
    weights_sha256: str
    same_above: float

    def require(self, weights_sha256: str, dimension: int, name: str) -> None:
        """Raise EmbeddingMismatch unless the vectors can be compared with those of `name`."""
        if (self.weights_sha256, self.vectors.shape[1]) != (weights_sha256, dimension):
            raise EmbeddingMismatch(
                f"the query has {self.vectors.shape[1]} numbers of the weights "
                f"{self.weights_sha256[:12]}…; {name} has {dimension} of {weights_sha256[:12]}…"
            )


def read_asked(job: SearchVectors, store: ArtifactStore) -> Asked:
    """Return what a search is about.

    Raises InvalidOptions, SourceMissing if the vectors are gone, and EmbeddingMismatch if they are
    not what was written.
    """
    match job.query:
        case RecordQuery(record=record, face=face):
            asked = _of_record(_embedded(store, job.output_bucket, record), record, face)
        case VectorsFile() as file:
            asked = _of_file(file, store)
    if len(asked.vectors) > MOST_QUERIES:
        raise InvalidOptions(
            f"there are {len(asked.vectors)} vectors to look for, of at most {MOST_QUERIES}: "
            "choose one face"
        )
    return asked


def read_among(job: SearchVectors, store: ArtifactStore) -> list[Embedded]:
    """Return the records that have vectors, of those that a search of the scope `job` names.

    Raises InvalidOptions for a key that is none of an output record of `faces`, and
    EmbeddingMismatch if the vectors of a record are not what was written.
    """

    def read(record: str) -> Embedded | None:
        try:
            return read_record(store, job.output_bucket, record)
        except Skipped as skipped:
            if skipped.why in _NONE:
                return None
            raise _named(skipped, record) from None

    return [found for found in each(job.among, read) if found is not None]


def _embedded(store: ArtifactStore, output_bucket: str, record: str) -> Embedded:
    try:
        return read_record(store, output_bucket, record)
    except Skipped as skipped:
        raise _named(skipped, record) from None


def _named(skipped: Skipped, record: str) -> Exception:
    match skipped.why:
        case "no vectors":
            return InvalidOptions(f"{record} names no vectors: run `faces` with the option embed")
        case "no clear face":
            return InvalidOptions(f"no face that {record} tells of is large and clear enough")
        case "other vectors":
            return EmbeddingMismatch(f"the vectors that {record} names are not what it says")
        case _:
            return InvalidOptions(f"{record} is no output record of faces")


def _of_record(embedded: Embedded, record: str, face: int | None) -> Asked:
    found = list(embedded.faces())
    chosen = [each for each in found if face is None or each.subject == face]
    if not chosen:
        there = ", ".join(str(each.subject) for each in found)
        raise InvalidOptions(f"face {face} of {record} has no vector; faces with one: {there}")
    return Asked(
        embedded.vectors[[each.row for each in chosen]],
        [(each.subject, _box(each)) for each in chosen],
        embedded.document.weights_sha256,
        embedded.document.same_above,
    )


def _of_file(file: VectorsFile, store: ArtifactStore) -> Asked:
    try:
        vectors = read_vectors(store, file.vectors)
    except KeyError:
        raise SourceMissing(f"{file.vectors.uri} is gone") from None
    subjects = [(row, None) for row in range(len(vectors))]
    return Asked(np.asarray(vectors), subjects, file.weights_sha256, file.same_above)


def _box(face: FaceRow) -> Box:
    return face.face.detection.box
