"""The backend of each collection."""

from __future__ import annotations

from containers.vector_index.backends.backend import Backend
from containers.vector_index.backends.s3_vectors import S3VectorsBackend
from containers.vector_index.backends.segments import SegmentsBackend
from containers.vector_index.stored.head import Head
from containers.vector_index.stored.places import Places


def backend_of(head: Head, places: Places) -> Backend:
    """Return the backend that a collection has."""
    match head.backend:
        case "segments":
            return SegmentsBackend(places)
        case "s3-vectors":
            return S3VectorsBackend(places)
