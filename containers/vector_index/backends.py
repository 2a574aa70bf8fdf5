"""The backend of each collection."""

from __future__ import annotations

from containers.vector_index.backend import Backend
from containers.vector_index.head import Head
from containers.vector_index.places import Places
from containers.vector_index.s3_vectors_backend import S3VectorsBackend
from containers.vector_index.segments_backend import SegmentsBackend


def backend_of(head: Head, places: Places) -> Backend:
    """Return the backend that a collection has."""
    match head.backend:
        case "segments":
            return SegmentsBackend(places)
        case "s3-vectors":
            return S3VectorsBackend(places)
