"""The backend of each collection."""

from __future__ import annotations

from containers.vector_index.backends.backend import Backend, Counts
from containers.vector_index.backends.s3_vectors import S3VectorsBackend
from containers.vector_index.backends.segments import SegmentsBackend
from containers.vector_index.stored.head import Head
from containers.vector_index.stored.places import Places, now
from containers.vector_index.stored.tombstones import read_rules


def backend_of(head: Head, places: Places) -> Backend:
    """Return the backend that a collection has."""
    match head.backend:
        case "segments":
            return SegmentsBackend(places)
        case "s3-vectors":
            return S3VectorsBackend(places)


def counts_of(head: Head, places: Places) -> Counts:
    """Return how much a collection has now."""
    return backend_of(head, places).count(head, read_rules(places, head), at=now())
