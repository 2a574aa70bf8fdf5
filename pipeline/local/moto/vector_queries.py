"""Answer QueryVectors: the nearest of all vectors by cosine, compared one by one.

Amazon S3 Vectors finds nearly all of the nearest; here it is all of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from moto.s3vectors.exceptions import ValidationError

from pipeline.local.moto.vector_filters import read_filter
from pipeline.local.moto.vectors import unfilterable

MOST_NEIGHBOURS: Final = 100


def answer(index: Any, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return what QueryVectors answers to a request's parameters.

    Raises ValidationError for a request that AWS refuses, and for searches of texts and indexes of
    another distance, which this cloud does not offer.
    """
    query, most, sieve = _query(index, wanted), wanted["topK"], wanted.get("filter")
    if not 1 <= most <= MOST_NEIGHBOURS:
        raise ValidationError(f"topK must be between 1 and {MOST_NEIGHBOURS}, inclusive")
    if wanted.get("nextToken"):
        raise ValidationError("The specified next token is not valid")
    stored = sorted(index.vectors.copy().items())
    if sieve is not None:
        matches = read_filter(sieve, unfilterable(index))
        stored = [(key, vector) for key, vector in stored if matches(vector.metadata)]
    distances = _distances(query, [vector.values for _, vector in stored])
    found = []
    for place in np.argsort(distances, kind="stable")[:most]:
        key, vector = stored[place]
        result: dict[str, Any] = {"key": key}
        if wanted.get("returnDistance"):
            result["distance"] = float(distances[place])
        if wanted.get("returnMetadata"):
            result["metadata"] = vector.metadata
        found.append(result)
    return {"vectors": found, "distanceMetric": index.distance_metric}


def _query(index: Any, wanted: Mapping[str, Any]) -> list[float]:
    if wanted.get("queryTexts"):
        raise ValidationError("Full-text search requires an index with searchable metadata")
    if index.distance_metric != "cosine":
        raise ValidationError("This cloud compares vectors by cosine only")
    query: list[float] = wanted.get("queryVector", {}).get("float32") or []
    if len(query) != index.dimension:
        raise ValidationError(
            f"Query vector must have length {index.dimension}, but has length {len(query)}"
        )
    if not all(map(math.isfinite, query)):
        raise ValidationError("Query vector must contain only finite values")
    if not any(query):
        raise ValidationError("Zero vectors are not supported with the cosine distance metric")
    return query


def _distances(query: list[float], vectors: list[Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return 1 - cosine for each vector, 0…2."""
    if not vectors:
        return np.zeros(0, np.float32)
    matrix = np.array(vectors, np.float32).astype(np.float64)
    sought = np.array(query, np.float32).astype(np.float64)
    lengths = np.linalg.norm(matrix, axis=1) * np.linalg.norm(sought)
    distances: np.ndarray[Any, np.dtype[np.float64]] = 1 - matrix @ sought / lengths
    return distances.clip(0, 2).astype(np.float32)
