"""Receipts of what was forgotten, erased and deleted. None names a person."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Literal, TypeVar

from containers.vector_index.stored.head import Part
from containers.vector_index.stored.places import Places, execution_name, moment_of
from containers.vector_index.stored.rows import Kind
from pipeline.artifacts import Artifact
from pipeline.contracts.collection import CollectionJob


class Receipt(Part):
    """What was done in a collection, when, and on whose behalf."""

    schema_version: Literal[1] = 1
    collection: str
    execution: str
    asked_by: str
    asked_at: datetime
    at: datetime
    vectors: int


R = TypeVar("R", bound=Receipt)


class ForgottenReceipt(Receipt):
    """`digest` is that of the person or object in this collection: see docs/collections.md."""

    about: Kind
    digest: str
    erased_by: datetime


class ErasedReceipt(Receipt):
    """`objects` were deleted in every version."""

    objects: tuple[str, ...]


class DeletedReceipt(Receipt):
    """`objects` counts what was deleted, in every version."""

    objects: int


def stated(job: CollectionJob, name: str, *, at: int, vectors: int) -> dict[str, object]:
    """Return the fields that all receipts of a job have."""
    return {
        "collection": name,
        "execution": execution_name(job.execution),
        "asked_by": job.asked_by,
        "asked_at": job.asked_at,
        "at": moment_of(at),
        "vectors": vectors,
    }


def earlier_receipt(
    places: Places, job: CollectionJob, name: str, of: type[R], kind: str = ""
) -> tuple[R, Artifact] | None:
    """Return the receipt that an earlier call of the job's execution wrote, if there is one."""
    place = places.receipt(name, job.execution, kind)
    try:
        content = places.store.read(place)
    except KeyError:
        return None
    sha256 = hashlib.sha256(content).hexdigest()
    artifact = Artifact(uri=place.uri, sha256=sha256, bytes=len(content))
    return of.model_validate_json(content), artifact


def write_receipt(places: Places, receipt: Receipt, kind: str = "") -> Artifact:
    """Write a receipt of an execution; one action writes one of a kind."""
    place = places.receipt(receipt.collection, receipt.execution, kind)
    content = receipt.model_dump_json(indent=1).encode()
    return places.store.write(place, content, media_type="application/json")
