"""DeleteCollection: delete a collection for good, so that a killed run can be continued."""

from __future__ import annotations

import shutil

from containers.vector_index.backends.choosing import backend_of
from containers.vector_index.backends.s3_vectors import S3VectorsBackend
from containers.vector_index.stored.head import Head, change_head
from containers.vector_index.stored.places import Places, milliseconds, now
from containers.vector_index.stored.receipts import (
    DeletedReceipt,
    earlier_receipt,
    stated,
    write_receipt,
)
from pipeline.contracts.collection import CollectionDeleted, DeleteCollection
from pipeline.errors import CollectionMissing
from pipeline.workbench import TaskContext


def delete_collection(job: DeleteCollection, context: TaskContext) -> CollectionDeleted:
    """Delete every object of a collection, in every version. Audit records and receipts stay.

    Nothing finds it from the first step on; its head goes last, after the receipt. Raises
    CollectionMissing, CollectionBusy or SegmentMismatch.
    """
    places, at = Places.of(job, context), now()
    name = job.collection
    try:
        head = change_head(places, name, lambda head: _deleting(head, job), deleting=True)
    except CollectionMissing:
        return _deleted_before(places, job)
    objects = backend_of(head, places).erase(head)
    if head.moving is not None:
        objects += S3VectorsBackend(places).erase(head)
    objects += places.store.erase_below(places.exports(name))
    objects += places.store.erase_below(places.all_pointers(), ending=f"/{name}")
    own = places.collection(name)
    for kind in ("segments/", "tombstones/"):
        objects += places.store.erase_below(own._replace(key=f"{own.key}{kind}"))
    vectors = sum(each.rows for each in head.segments) + (head.stored.rows if head.stored else 0)
    said = stated(job, name, at=at, vectors=vectors) | {"objects": objects + 1}
    receipt = write_receipt(places, DeletedReceipt.model_validate(said))
    places.store.erase(places.head(name))
    shutil.rmtree(places.scratch / head.id, ignore_errors=True)
    return CollectionDeleted(collection=name, objects=objects + 1, receipt=receipt)


def _deleting(head: Head, job: DeleteCollection) -> Head:
    if head.created_at > milliseconds(job.asked_at):
        raise CollectionMissing(f"{head.name} was created after its deletion was asked for")
    return head if head.state == "deleting" else head.but(state="deleting")


def _deleted_before(places: Places, job: DeleteCollection) -> CollectionDeleted:
    """Return the result of the run that deleted the collection. Raises CollectionMissing."""
    earlier = earlier_receipt(places, job, job.collection, DeletedReceipt)
    if earlier is None:
        raise CollectionMissing(f"there is no collection {job.collection}")
    receipt, artifact = earlier
    return CollectionDeleted(collection=job.collection, objects=receipt.objects, receipt=artifact)
