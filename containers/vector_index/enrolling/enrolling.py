"""EnrollRecords and EnrollVectors: the vectors of output records, or of any model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import numpy as np

from containers.vector_index.backends.choosing import counts_of
from containers.vector_index.backends.merging import has_many
from containers.vector_index.enrolling.adding import (
    AT_ONCE,
    Added,
    Batch,
    Origin,
    add,
    forget_photos,
    require_origin,
    require_timely,
)
from containers.vector_index.enrolling.naming import person_of
from containers.vector_index.enrolling.records import (
    Embedded,
    Photo,
    Skipped,
    is_current,
    read_record,
)
from containers.vector_index.enrolling.vectors import read_vectors
from containers.vector_index.stored.head import Head, read_head, with_head
from containers.vector_index.stored.places import Places
from containers.vector_index.stored.rows import Fact, FactBox, Mask, Vectors
from pipeline.artifacts import AccessDenied, Location
from pipeline.contracts.collection import Skip
from pipeline.contracts.collection_enrolments import (
    Enrolled,
    EnrollRecords,
    EnrollVectors,
    Entry,
    SkippedRecord,
    VectorsEnrolled,
)
from pipeline.contracts.faces import Box
from pipeline.errors import EmbeddingMismatch, InvalidOptions, SourceForbidden, SourceMissing
from pipeline.workbench import TaskContext

R = TypeVar("R", bound=Enrolled)


class Item(NamedTuple):
    """A vector of a record, and what it stands for."""

    record: str
    fact: Fact
    vector: Vectors


class Outcome(NamedTuple):
    """How many vectors were enrolled, how many were known, and why records were skipped."""

    enrolled: int = 0
    known: int = 0
    skipped: Mapping[str, Skip] = MappingProxyType({})

    @classmethod
    def of(cls, added: Added, skipped: Mapping[str, Skip] = MappingProxyType({})) -> Outcome:
        lasting = added.enrolled & ~added.gone
        return cls(int(lasting.sum()), int(added.known.sum()), skipped)


def enroll_records(job: EnrollRecords, context: TaskContext) -> Enrolled:
    """Enroll the faces of output records; say of each other record why not.

    Raises CollectionMissing, CollectionBusy, SegmentMismatch, InvalidOptions, and
    EmbeddingMismatch if there are only records with vectors of another model.
    """
    places = Places.of(job, context)
    head = read_head(places, job.collection).head
    require_timely(job, head)
    with context.timed("read"):
        read = _read_each(places, job)
    skipped: dict[str, Skip] = {
        key: each if isinstance(each, str) else "photo gone"
        for key, each in read.items()
        if not isinstance(each, Embedded)
    }
    embedded = [each for each in read.values() if isinstance(each, Embedded)]
    # A call that was killed may have enrolled them when they were still there
    forget_photos(places, job, [each for each in read.values() if isinstance(each, Photo)])
    origin = _origin_of(head, embedded)
    items = []
    for each in embedded:
        try:
            found = list(_items(each, job)) if _origin(each) == origin else []
        except Skipped as no:
            skipped[each.record] = no.why
            continue
        items += found
        if not found:
            skipped[each.record] = "no vectors" if _origin(each) == origin else "other vectors"
    if origin is None or not items:
        return _result(Enrolled, places, job, Outcome(skipped=skipped))
    batch = Batch(origin, np.stack([each.vector for each in items]), [each.fact for each in items])
    with context.timed("add"):
        added = add(places, job, batch)
    records = np.array([each.record for each in items])
    for record in set(records.tolist()):
        if (why := _why_nothing(added, records == record)) is not None:
            skipped[record] = why
    return _result(Enrolled, places, job, Outcome.of(added, skipped))


def enroll_vectors(job: EnrollVectors, context: TaskContext) -> VectorsEnrolled:
    """Enroll rows of a file of vectors.

    Raises CollectionMissing, CollectionBusy, SegmentMismatch, InvalidOptions, EmbeddingMismatch,
    SourceMissing if an object of which they were made was deleted or replaced, and SourceForbidden
    if the function may not read it: nobody would notice its deletion.
    """
    places = Places.of(job, context)
    require_timely(job, read_head(places, job.collection).head)
    with _named_errors(job.file.vectors.uri):
        vectors = read_vectors(context.store, job.file.vectors)
    rows = [entry.row for entry in job.entries]
    if wrong := [row for row in rows if not 0 <= row < len(vectors)]:
        raise InvalidOptions(f"there is no row {wrong[0]} in {job.file.vectors.uri}")
    batch = Batch(
        Origin(job.file.model, job.file.weights_sha256, vectors.shape[1], job.file.same_above),
        vectors[rows],
        [_fact_of(entry) for entry in job.entries],
    )
    for photo in sorted(set(batch.photos), key=str):
        uri = Location(photo.bucket, photo.key).uri
        with _named_errors(uri):
            if not is_current(context.store, photo):
                raise SourceMissing(f"{uri} was deleted or replaced")
    return _result(VectorsEnrolled, places, job, Outcome.of(add(places, job, batch)))


@contextmanager
def _named_errors(uri: str) -> Iterator[None]:
    """Raise what the store says of a place that the job names by an error of a name."""
    try:
        yield
    except KeyError:
        raise SourceMissing(f"{uri} is not there") from None
    except AccessDenied as error:
        raise SourceForbidden(f"access to {uri} was denied: {error}") from error
    except ValueError as error:
        raise InvalidOptions(f"{uri!r} is no place of an object: {error}") from None


def _read_each(places: Places, job: EnrollRecords) -> dict[str, Embedded | Photo | Skip]:
    """Return what each record says, or its photo if that is gone, or why nothing is enrolled."""

    def read(key: str) -> Embedded | Photo | Skip:
        try:
            embedded = read_record(places.store, job.output_bucket, key, job_id=job.job_id)
        except Skipped as skipped:
            return skipped.why
        return embedded if is_current(places.store, embedded.photo) else embedded.photo

    keys = sorted(set(job.records))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(keys, pool.map(read, keys), strict=True))


def _origin(embedded: Embedded) -> Origin:
    said = embedded.document
    return Origin(said.model, said.weights_sha256, said.dimension, said.same_above)


def _origin_of(head: Head, embedded: Sequence[Embedded]) -> Origin | None:
    """Return the first origin that the collection can have vectors of; None without records.

    Raises EmbeddingMismatch if there are records, but none of such an origin.
    """
    mismatch = None
    for each in embedded:
        try:
            require_origin(head, _origin(each))
        except EmbeddingMismatch as error:
            mismatch = error
        else:
            return _origin(each)
    if mismatch is not None:
        raise mismatch
    return None


def _items(embedded: Embedded, job: EnrollRecords) -> Iterator[Item]:
    photo = embedded.photo
    person = person_of(photo.key, job)
    for row, subject, face in embedded.faces():
        if job.faces is None or subject in job.faces:
            fact = Fact(
                person=person,
                bucket=photo.bucket,
                key=photo.key,
                version_id=photo.version_id,
                sha256=photo.sha256,
                subject=subject,
                box=_box_of(face.detection.box),
                score=face.detection.score,
            )
            yield Item(embedded.record, fact, embedded.vectors[row])


def _fact_of(entry: Entry) -> Fact:
    said = entry.model_dump(exclude={"row", "box"})
    return Fact(**said, box=None if entry.box is None else _box_of(entry.box))


def _box_of(box: Box) -> FactBox:
    return FactBox(x=box.x, y=box.y, width=box.width, height=box.height)


def _why_nothing(added: Added, own: Mask) -> Skip | None:
    """Return why a record has no new vector in the collection; None if it has."""
    if (added.enrolled & ~added.gone & own).any():
        return None
    if (added.gone & own).any():
        return "photo gone"
    return "enrolled before" if (added.known & own).any() else "forgotten"


def _result(
    kind: type[R], places: Places, job: EnrollRecords | EnrollVectors, outcome: Outcome
) -> R:
    def counted(head: Head) -> R:
        counts = counts_of(head, places)
        return kind(
            collection=job.collection,
            enrolled=outcome.enrolled,
            known=outcome.known,
            skipped=tuple(
                SkippedRecord(record=key, why=why) for key, why in sorted(outcome.skipped.items())
            ),
            vectors=counts.vectors,
            segments=counts.segments,
            compact=has_many(head),
            metrics={"enrolled": float(outcome.enrolled)},
        )

    return with_head(places, job.collection, counted)
