"""MoveCollection: copy the rows of segments to Amazon S3 Vectors, then switch over.

Until the switch, the segments are the collection: enrolments and rules go there, searches read
there. The last call compares the copy with them, so that nothing depends on where earlier calls
stopped.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Final

from containers.vector_index.backends.choosing import counts_of
from containers.vector_index.backends.s3_vectors import S3VectorsBackend
from containers.vector_index.backends.vector_rows import index_of
from containers.vector_index.copying import (
    BEHIND_ALL,
    Copied,
    catch_up,
    compare,
    complete,
    copy_rows,
    require_moving,
)
from containers.vector_index.stored.head import (
    Head,
    Moving,
    Superseded,
    change_head,
    read_head,
    with_head,
)
from containers.vector_index.stored.places import Places, now
from pipeline.contracts.collection import MoveCollection, Moved
from pipeline.errors import CollectionMissing, InvalidOptions
from pipeline.workbench import TaskContext

MOST_SECONDS: float = 120  # that one call copies
_SPARE_SECONDS: Final = 150  # to complete the copy, compare and switch over


def move_collection(job: MoveCollection, context: TaskContext) -> Moved:
    """Copy rows until the time is nearly up; the call that copies the last ones switches over.

    A move to the backend that the collection has ends one that is under way to the other. Raises
    CollectionMissing, CollectionBusy, SegmentMismatch, StoreUnavailable, and InvalidOptions for a
    collection that would move back from S3 Vectors.
    """
    places, name = Places.of(job, context), job.collection
    head = read_head(places, name).head
    if head.backend == job.to:
        return _ended(places, head)
    if job.to == "segments":
        raise InvalidOptions(f"{name} is in S3 Vectors, and no collection moves back from there")
    head = change_head(places, name, _begun)
    until = min(time.monotonic() + MOST_SECONDS, context.ends_at - _SPARE_SECONDS)
    try:
        moved, after = _copied(places, head, until)
    except CollectionMissing:
        S3VectorsBackend(places).erase(head)  # it may have been created again since its deletion
        raise
    return Moved(collection=name, moved=moved, total=_total(places, name), after=after)


def _copied(places: Places, head: Head, until: float) -> tuple[int, str | None]:
    """Copy rows and perhaps switch over; return how many, and where this call stopped."""
    name = head.name
    if head.dimension is not None:
        places.vectors().create(index_of(places.vector_bucket, head), dimension=head.dimension)
    moved, after = with_head(places, name, lambda latest: copy_rows(places, latest, until))
    if after is None and not _finish(places, name, until):
        after = BEHIND_ALL
    if after is not None:
        change_head(places, name, partial(_stopped, after=after))
    return moved, after


def _finish(places: Places, name: str, until: float) -> bool:
    """Complete the copy, compare it, and switch over; return False if it is not complete yet."""
    copied = with_head(places, name, lambda head: complete(places, head, until))
    if copied is None or not compare(places, name, copied):
        return False
    change_head(places, name, lambda head: _switched(places, head, copied))
    return True


def _ended(places: Places, head: Head) -> Moved:
    """Delete a copy that is no longer wanted; the head tells of it until it is gone."""
    if head.moving is not None:
        S3VectorsBackend(places).erase(head)
        change_head(places, head.name, _unmoved)
    return Moved(collection=head.name, moved=0, total=_total(places, head.name), after=None)


def _total(places: Places, name: str) -> int:
    return with_head(places, name, lambda head: counts_of(head, places).vectors)


def _begun(head: Head) -> Head:
    """Return a head that tells of the copy before there is one."""
    if head.backend == "s3-vectors" or head.moving is not None:
        return head
    return head.but(moving=Moving(to="s3-vectors", after=None))


def _stopped(head: Head, after: str) -> Head:
    require_moving(head)
    return head.but(moving=Moving(to="s3-vectors", after=after))


def _unmoved(head: Head) -> Head:
    return head if head.moving is None else head.but(moving=None)


def _switched(places: Places, head: Head, copied: Copied) -> Head:
    if head.backend == "s3-vectors":
        return head
    require_moving(head)
    old = tuple(
        Superseded(key=places.segment(head.name, each.sha256).key, since=now(), because="merged")
        for each in head.segments
    )
    return head.but(
        backend="s3-vectors",
        segments=(),
        superseded=(*head.superseded, *old),
        moving=None,
        stored=catch_up(places, head, copied),
    )
