"""Rows of a collection as vectors with metadata in Amazon S3 Vectors, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from containers.vector_index.stored.digests import BYTES
from containers.vector_index.stored.head import Head
from containers.vector_index.stored.rows import Digests, Rows, joined_facts
from pipeline.aws.s3_vectors import Metadata, Vector, VectorIndex
from pipeline.errors import SegmentMismatch

HIDDEN: Final = ("fact", "by")  # no filter uses them; a fact may have more than 2 KB
_DIGESTS: Final = ("person", "photo", "object")
_TIMES: Final = ("enrolled_at", "asked_at")
_NORMS: Final = (0.99, 1.01)
_LATEST: Final = 2**53
_NONE: Final = np.zeros((0, 0), np.float32)


def index_of(bucket: str, head: Head) -> VectorIndex:
    """Return a collection's own index: a later collection of the same name has another."""
    return VectorIndex(bucket, f"{head.name}-{head.id[:20]}", hidden=HIDDEN)


def keys_of(ids: Digests) -> list[str]:
    """Return the keys of vectors: the ids of rows (n × 16) in hexadecimal."""
    return [each.tobytes().hex() for each in ids]


def weights_of(head: Head) -> str:
    """Return what tells the vectors of a collection from others that a lost race left behind."""
    return (head.weights_sha256 or "")[:32]


def vectors_of(head: Head, rows: Rows, by: str) -> Iterator[Vector]:
    """Yield rows as vectors; `by` names the task that stores them."""
    for row, key in enumerate(keys_of(rows.ids)):
        metadata: dict[str, str | int] = {
            "id": key,  # a filter can name no key
            "weights": weights_of(head),
            **{name: getattr(rows, name)[row].tobytes().hex() for name in _DIGESTS},
            **{name: int(getattr(rows, name)[row]) for name in _TIMES},
            "fact": rows.said(row).decode(),
            "by": by,
        }
        yield Vector(key, rows.vectors[row].astype(np.float32).tolist(), metadata)


def rows_of(head: Head, keys: Sequence[str], metadata: Sequence[Metadata], values: Any) -> Rows:  # noqa: ANN401 - whatever NumPy makes an array of
    """Return vectors as rows. `values` are n × dimension, or n × 0 where they are not needed.

    Raises SegmentMismatch if something else wrote them.
    """
    try:
        vectors = np.array(values, np.float32).reshape(len(keys), -1) if keys else _NONE
        columns: dict[str, npt.NDArray[Any]] = {
            **{name: _digests([each[name] for each in metadata]) for name in _DIGESTS},
            **{name: _times([each[name] for each in metadata]) for name in _TIMES},
        }
        said = [str(each["fact"]).encode() for each in metadata]
        rows = Rows(
            head.id,
            vectors=vectors.astype(np.float16),
            ids=_digests(keys),
            **columns,
            **joined_facts(said),
        )
        _check_vectors(vectors, head)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise SegmentMismatch(
            f"the index of {head.name} has vectors of another kind: {error}"
        ) from None
    return rows


def _digests(values: Sequence[Any]) -> Digests:
    return np.frombuffer(bytes.fromhex("".join(values)), np.uint8).reshape(len(values), BYTES)


def _times(values: Sequence[Any]) -> npt.NDArray[np.int64]:
    if any(isinstance(each, bool) or not 0 <= each < _LATEST for each in values):
        raise ValueError("a time is not in ms since 1970")
    return np.array(values, np.int64)


def _check_vectors(vectors: npt.NDArray[np.float32], head: Head) -> None:
    if not vectors.size:
        return
    if vectors.shape[1] != head.dimension:
        raise ValueError(f"they have {vectors.shape[1]} values, not {head.dimension}")
    lengths = np.linalg.norm(vectors, axis=1)
    if not ((lengths >= _NORMS[0]) & (lengths <= _NORMS[1])).all():
        raise ValueError("a vector has not the length 1")
