"""CompactCollection: erase what is dead, join segments, and delete what no head names."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from containers.vector_index.backends.backend import Compaction
from containers.vector_index.backends.choosing import backend_of
from containers.vector_index.backends.s3_vectors import S3VectorsBackend
from containers.vector_index.backends.warm import warm_of
from containers.vector_index.measuring import measure
from containers.vector_index.stored.head import (
    GRACE,
    Head,
    Superseded,
    Tombstones,
    change_head,
    with_head,
)
from containers.vector_index.stored.places import Places, milliseconds, name_of_head, now
from containers.vector_index.stored.receipts import (
    ErasedReceipt,
    earlier_receipt,
    stated,
    write_receipt,
)
from containers.vector_index.stored.segments import keep_only
from containers.vector_index.stored.tombstones import DAY, KEPT_DAYS, Rules, read_rules, write_rules
from pipeline.artifacts import Listed, Location
from pipeline.contracts.collection import CompactCollection, Compacted
from pipeline.errors import SegmentMismatch
from pipeline.workbench import TaskContext

_ERASED: Final = "erased"
_ABANDONED: Final = 60 * 60_000  # ms: a task that has not published an object by then never will


def compact_collection(job: CompactCollection, context: TaskContext) -> Compacted:
    """Erase what the deadline asks for, or with `force` all that is dead; join small segments.

    Raises CollectionMissing, CollectionBusy or SegmentMismatch. A run that was killed is continued
    by the next.
    """
    places, at = Places.of(job, context), now()
    warm_of(places.scratch, places.memory_mb).release()  # a full segment takes 600 MB to rewrite

    def compacted(head: Head) -> Compaction:
        rules = read_rules(places, head)
        if head.moving is not None:  # what is copied is erased in time, too
            S3VectorsBackend(places).sweep_copy(head, rules, at=at)
        return backend_of(head, places).compact(head, rules, at=at, force=job.force)

    compaction = with_head(places, job.collection, compacted)
    head = _with_fewer_rules(places, job.collection, at)
    due = [
        each
        for each in head.superseded
        if job.force or each.key in compaction.at_once or each.since + GRACE <= at
    ]
    objects = sum(places.store.erase(_place(places, head, each)) for each in due)
    erased = compaction.erased + sum(each.rows for each in due)
    if erased:
        said = stated(job, head.name, at=at, vectors=erased)
        keys = tuple(each.key for each in due)
        _write_erased(places, job, ErasedReceipt.model_validate(said | {"objects": keys}))
    # The receipt first: a run that is killed here writes it again
    told = compaction.erased
    head = change_head(places, head.name, lambda latest: _without(latest, due, told))
    keep_only(places, head)
    with context.timed("measure"):
        head = with_head(places, head.name, lambda latest: measure(places, latest, at))
    objects += _sweep(places, head, at)
    counts = with_head(
        places,
        head.name,
        lambda latest: backend_of(latest, places).count(latest, read_rules(places, latest), at=at),
    )
    return Compacted(
        collection=head.name,
        erased=erased,
        objects=objects,
        vectors=counts.vectors,
        segments=counts.segments,
        index=head.index.kind,
        recall=head.index.recall,
        refused=head.index.refused,
        metrics={"erased": float(erased), "overdue": float(compaction.overdue)},
    )


def _write_erased(places: Places, job: CompactCollection, receipt: ErasedReceipt) -> None:
    """Write a receipt beside that of an earlier call of this execution, which erased others."""
    kind, earlier = (
        _ERASED,
        earlier_receipt(places, job, receipt.collection, ErasedReceipt, _ERASED),
    )
    if earlier is not None:
        before = earlier[0]
        if (before.objects, before.vectors) != (receipt.objects, receipt.vectors):
            kind = f"{_ERASED}-{milliseconds(receipt.at)}"
    write_receipt(places, receipt, kind)


def _with_fewer_rules(places: Places, name: str, at: int) -> Head:
    """Join the objects with rules, without those that no execution and no row can meet again."""
    written: list[Tombstones] = []

    def fewer(head: Head) -> Head:
        rules = read_rules(places, head)
        kept = _still_needed(places, head, rules, at)
        if len(head.tombstones) <= 1 and len(kept) == len(rules):
            return head
        fresh = (write_rules(places, head, kept),) if kept else ()
        written.extend(fresh)
        old = [
            Superseded(key=places.tombstones(name, each.sha256).key, since=at, because="merged")
            for each in head.tombstones
        ]
        return head.but(tombstones=fresh, superseded=(*head.superseded, *old))

    head = change_head(places, name, fewer)
    for each in written:
        if each not in head.tombstones:
            places.store.erase(places.tombstones(name, each.sha256))
    return head


def _still_needed(places: Places, head: Head, rules: Rules, at: int) -> Rules:
    outlived = at - KEPT_DAYS * DAY
    old = rules.among(lambda rule: rule.at < outlived)
    needed = rules.among(lambda rule: rule.at >= outlived)
    if old:
        for rows in backend_of(head, places).rows(head, vectors=False):
            needed = needed.and_(old.killing(rows).each())
    return needed


def _place(places: Places, head: Head, superseded: Superseded) -> Location:
    """Return where a superseded object is. Raises SegmentMismatch if it is not the collection's."""
    own = places.collection(head.name).key
    if not superseded.key.startswith((f"{own}segments/", f"{own}tombstones/")):
        raise SegmentMismatch(f"the head of {head.name} supersedes {superseded.key}")
    return Location(places.bucket, superseded.key)


def _without(head: Head, gone: Collection[Superseded], told: int) -> Head:
    """Return the head without objects that are gone, and without rows that a receipt tells of."""
    left = tuple(each for each in head.superseded if each not in gone)
    stored = head.stored
    if stored and stored.erased:
        stored = stored.model_copy(update={"erased": max(0, stored.erased - told)})
    if (left, stored) == (head.superseded, head.stored):
        return head
    return head.but(superseded=left, stored=stored)


def _sweep(places: Places, head: Head, at: int) -> int:
    """Erase what tasks wrote and never published: of this collection, and of deleted ones."""
    listed = list(places.store.listing(places.collections()))
    there = {name for each in listed if (name := name_of_head(each.location.key))}
    named = {places.head(head.name).key, *_named(places, head)}
    return sum(
        places.store.erase(each.location)
        for each in listed
        if milliseconds(each.written) + _ABANDONED <= at
        and (_collection_of(each) not in there or _is_abandoned(places, head, each, named))
    )


def _named(places: Places, head: Head) -> set[str]:
    segments = {places.segment(head.name, each.sha256).key for each in head.segments}
    rules = {places.tombstones(head.name, each.sha256).key for each in head.tombstones}
    return segments | rules | {each.key for each in head.superseded}


def _is_abandoned(places: Places, head: Head, listed: Listed, named: Collection[str]) -> bool:
    key = listed.location.key
    return key.startswith(places.collection(head.name).key) and key not in named


def _collection_of(listed: Listed) -> str:
    return listed.location.key.split("/")[1]
