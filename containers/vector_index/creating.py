"""CreateCollection: the head of an empty collection, with why it may exist."""

from __future__ import annotations

import secrets

from containers.vector_index.stored.head import Head, Index, create_head, read_head
from containers.vector_index.stored.places import Places, milliseconds
from pipeline.contracts.collection import CollectionCreated, CreateCollection
from pipeline.errors import CollectionBusy, CollectionExists, ConsentMissing
from pipeline.workbench import TaskContext


def create_collection(job: CreateCollection, context: TaskContext) -> CollectionCreated:
    """Create a collection; one that is as the job asks for is a success, too.

    Raises ConsentMissing, CollectionExists if there is another one of this name, and
    CollectionBusy while that is being deleted.
    """
    if job.consent is None:
        raise ConsentMissing(f"{job.collection} has no purpose, legal basis and retention")
    places = Places.of(job, context)
    head = Head(
        name=job.collection,
        id=secrets.token_hex(16),
        consent=job.consent,
        model=job.model,
        backend=job.backend,
        index=Index(kind=job.index),
        allowed=job.allowed,
        erase_within_days=job.erase_within_days,
        created_at=milliseconds(job.asked_at),
        changed_at=milliseconds(job.asked_at),
    )
    created = create_head(places, head)
    if not created:
        _require_same(read_head(places, job.collection, deleting=True).head, head)
    return CollectionCreated(collection=job.collection, created=created)


def _require_same(there: Head, asked: Head) -> None:
    if there.state == "deleting":
        raise CollectionBusy(f"the collection {there.name} is being deleted")
    same = ("consent", "model", "backend", "allowed", "erase_within_days")
    different = [name for name in same if getattr(there, name) != getattr(asked, name)]
    if not there.index.refused and there.index.kind != asked.index.kind:
        different.append("index")
    if different == ["allowed"]:
        raise CollectionExists(
            f"there is a collection {there.name} with another allowed, "
            f"which `matteline collections allow {there.name}` changes"
        )
    if different:
        raise CollectionExists(
            f"there is a collection {there.name} with another {', '.join(different)}"
        )
