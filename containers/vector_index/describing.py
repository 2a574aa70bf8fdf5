"""DescribeCollections: what collections are for, and how much they have."""

from __future__ import annotations

from collections.abc import Iterator

from containers.vector_index.backends.choosing import counts_of
from containers.vector_index.stored.head import Head, require_searcher, with_head
from containers.vector_index.stored.places import Places, moment_of, name_of_head
from pipeline.contracts.collection import Collection, CollectionsDescribed, DescribeCollections
from pipeline.errors import CollectionMissing
from pipeline.workbench import TaskContext


def describe_collections(job: DescribeCollections, context: TaskContext) -> CollectionsDescribed:
    """Describe a collection, or all that are not being deleted, by name.

    Raises CollectionMissing if the named one is missing or hidden, and SegmentMismatch.
    """
    places = Places.of(job, context)
    if job.collection is not None:
        found = _described(places, job.collection, job.searcher)
        return CollectionsDescribed(collections=(found,))
    return CollectionsDescribed(collections=tuple(_all(places, job.searcher)))


def _all(places: Places, searcher: str | None) -> Iterator[Collection]:
    listed = places.store.listing(places.collections())
    for name in filter(None, (name_of_head(each.location.key) for each in listed)):
        try:
            yield _described(places, name, searcher)
        except CollectionMissing:
            continue  # hidden, or deleted since it was listed


def _described(places: Places, name: str, searcher: str | None) -> Collection:
    def described(head: Head) -> Collection:
        require_searcher(head, searcher)
        return _collection(places, head)

    return with_head(places, name, described)


def _collection(places: Places, head: Head) -> Collection:
    counts = counts_of(head, places)
    return Collection(
        name=head.name,
        consent=head.consent,
        model=head.model,
        weights_sha256=head.weights_sha256,
        dimension=head.dimension,
        same_above=head.same_above,
        backend=head.backend,
        index=head.index.kind,
        allowed=head.allowed,
        erase_within_days=head.erase_within_days,
        created_at=moment_of(head.created_at),
        changed_at=moment_of(head.changed_at),
        vectors=counts.vectors,
        forgotten=counts.forgotten,
        segments=counts.segments,
        bytes=counts.bytes,
        moving_to=head.moving.to if head.moving else None,
    )
