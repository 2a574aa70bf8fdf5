"""EnrollPrefix: enroll what `faces` published below a prefix, batch by batch."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from containers.vector_index.describing import describe_collections
from containers.vector_index.enrolling.enrolling import enroll_records
from containers.vector_index.enrolling.records import SUFFIX
from pipeline.artifacts import ArtifactStore, Location
from pipeline.contracts.collection import MOST_RECORDS, CollectionJob, DescribeCollections, Skip
from pipeline.contracts.collection_enrolments import EnrollRecords
from pipeline.contracts.collection_runs import EnrollPrefix, Enrolments, PrefixEnrolled
from pipeline.errors import EmbeddingMismatch
from pipeline.workbench import TaskContext

_SHARE: Final = 0.5  # of a call's time, after which it begins no batch


def enroll_prefix(job: EnrollPrefix, context: TaskContext) -> PrefixEnrolled:
    """Enroll records in the order of their keys, until all are read or half of the time is over.

    Each batch is one enrolment of its own. A call that is repeated counts as known what the first
    one enrolled.
    """
    begun = time.monotonic()
    time_is_up = begun + _SHARE * (context.ends_at - begun)
    counts, after, compact = job.so_far, job.after, False
    for keys, last in _batches(context.store, job, time_is_up):
        if keys:
            try:
                done = enroll_records(_enrolment(job, keys), context)
            except EmbeddingMismatch:  # every vector of the batch is of another model
                counts = _counted(counts, 0, 0, {"other vectors": len(keys)})
            else:
                skipped = Counter(each.why for each in done.skipped)
                counts = _counted(counts, done.enrolled, done.known, skipped)
                compact = done.compact
        after = last
        if last is not None and time.monotonic() >= time_is_up:
            break
    now = describe_collections(_description(job), context).collections[0]
    return PrefixEnrolled(
        collection=job.collection,
        counts=counts,
        vectors=now.vectors,
        segments=now.segments,
        compact=compact,
        after=after,
    )


def _batches(
    store: ArtifactStore, job: EnrollPrefix, time_is_up: float
) -> Iterator[tuple[tuple[str, ...], str | None]]:
    """Yield keys of records, and the last key that was read; None once there are no more.

    Where keys of other files go on for long, a batch ends without a record.
    """
    keys: list[str] = []
    for listed in store.listing(Location(job.output_bucket, job.prefix), after=job.after or ""):
        if listed.location.key.endswith(SUFFIX):
            keys.append(listed.location.key)
        if len(keys) == MOST_RECORDS or time.monotonic() >= time_is_up:
            yield tuple(keys), listed.location.key
            keys = []
    yield tuple(keys), None


def _enrolment(job: EnrollPrefix, keys: tuple[str, ...]) -> EnrollRecords:
    return EnrollRecords(
        **_common(job),
        action="enroll",
        collection=job.collection,
        output_bucket=job.output_bucket,
        records=keys,
        person=job.person,
        person_from=job.person_from,
        faces=job.faces,
    )


def _description(job: EnrollPrefix) -> DescribeCollections:
    return DescribeCollections(**_common(job), action="describe", collection=job.collection)


def _common(job: CollectionJob) -> dict[str, Any]:
    return {name: getattr(job, name) for name in CollectionJob.model_fields}


def _counted(
    counts: Enrolments, enrolled: int, known: int, skipped: Mapping[Skip, int]
) -> Enrolments:
    return Enrolments(
        enrolled=counts.enrolled + enrolled,
        known=counts.known + known,
        skipped=dict(Counter(counts.skipped) + Counter(skipped)),
    )
