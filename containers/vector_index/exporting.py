"""ExportPerson: all that a collection has of a person, for that person."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import numpy as np
from safetensors.numpy import save

from containers.vector_index.backends.choosing import backend_of
from containers.vector_index.enrolling.vectors import TENSOR
from containers.vector_index.stored.digests import person_digest
from containers.vector_index.stored.head import Head, Part, with_head
from containers.vector_index.stored.places import Places, moment_of, now
from containers.vector_index.stored.rows import Fact, Rows
from containers.vector_index.stored.tombstones import expired, read_rules
from pipeline.contracts.collection import Exported, ExportPerson
from pipeline.workbench import TaskContext


class ExportedVector(Part):
    """What one row of the exported vectors stands for."""

    row: int
    fact: Fact
    enrolled_at: datetime


class ExportDocument(Part):
    """The content of `person.json`."""

    schema_version: Literal[1] = 1
    collection: str
    person: str
    purpose: str
    legal_basis: str
    retention_days: int
    model: str
    weights_sha256: str | None
    exported_at: datetime
    vectors: tuple[ExportedVector, ...]


def export_person(job: ExportPerson, context: TaskContext) -> Exported:
    """Write a document and the vectors of a person; neither if there is nothing.

    What is forgotten or has expired is not exported. Raises CollectionMissing or SegmentMismatch.
    """
    places, at = Places.of(job, context), now()
    head, rows = with_head(
        places, job.collection, lambda head: (head, _rows_of(places, head, job.person, at))
    )
    if rows is None:
        return Exported(collection=head.name, count=0, document=None, vectors=None)
    document = _document(head, rows, job.person, at).model_dump_json(indent=1).encode()
    tensors = save({TENSOR: rows.vectors.astype(np.float32)})
    place = places.export(head.name, job.execution, "person.json")
    beside = places.export(head.name, job.execution, "vectors.safetensors")
    return Exported(
        collection=head.name,
        count=len(rows),
        document=places.store.write(place, document, media_type="application/json"),
        vectors=places.store.write(beside, tensors, media_type="application/octet-stream"),
    )


def _rows_of(places: Places, head: Head, person: str, at: int) -> Rows | None:
    rules, digest = read_rules(places, head), person_digest(head.id, person)
    parts = [
        rows.take(~(rules.dead(rows) | expired(rows, head, at)))
        for rows in backend_of(head, places).rows(head, of=("person", digest))
    ]
    found = [part for part in parts if len(part)]
    return Rows.joined(found) if found else None


def _document(head: Head, rows: Rows, person: str, at: int) -> ExportDocument:
    return ExportDocument(
        collection=head.name,
        person=person,
        purpose=head.consent.purpose,
        legal_basis=head.consent.legal_basis,
        retention_days=head.consent.retention_days,
        model=head.model,
        weights_sha256=head.weights_sha256,
        exported_at=moment_of(at),
        vectors=tuple(
            ExportedVector(
                row=row,
                fact=rows.fact(row),
                enrolled_at=moment_of(int(rows.enrolled_at[row])),
            )
            for row in range(len(rows))
        ),
    )
