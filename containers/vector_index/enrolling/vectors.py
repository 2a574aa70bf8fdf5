"""Read a safetensors file of vectors that somebody else wrote."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from containers.vector_index.stored.rows import Vectors
from pipeline.artifacts import Artifact, ArtifactStore, Location
from pipeline.errors import EmbeddingMismatch

TENSOR: Final = "embeddings"
MOST_BYTES: Final = 64 * 2**20
_MOST_HEADER: Final = 64 * 2**10
_MOST_DIMENSIONS: Final = 4096
_LENGTHS: Final = (0.99, 1.01)


def read_vectors(store: ArtifactStore, file: Artifact) -> Vectors:
    """Return the vectors of a file (n × dimension), of length 1 exactly; n may be 0.

    Raises KeyError if it is not there, and EmbeddingMismatch if it is not what was written, too
    large, or has anything else than vectors of length 1.
    """
    if file.bytes > MOST_BYTES:
        raise EmbeddingMismatch(f"{file.uri} has {file.bytes:,} bytes, of at most {MOST_BYTES:,}")
    content = read_at_most(store, Location.parse(file.uri), file.bytes)
    if content is None or hashlib.sha256(content).hexdigest() != file.sha256:
        raise EmbeddingMismatch(f"{file.uri} is not what was written")
    return unit(_parsed(content, file.uri), file.uri)


def unit(vectors: Vectors, name: str) -> Vectors:
    """Return vectors whose length is about 1 with exactly that length.

    Raises EmbeddingMismatch if a vector has NaN, infinity or another length.
    """
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    wrong = np.flatnonzero(~((lengths >= _LENGTHS[0]) & (lengths <= _LENGTHS[1])))
    if wrong.size:
        row = int(wrong[0])
        raise EmbeddingMismatch(f"vector {row} of {name} has the length {lengths[row]:.3g}, not 1")
    exact: Vectors = (vectors / lengths[:, None]).astype(np.float32)
    return exact


def read_at_most(store: ArtifactStore, location: Location, most: int) -> bytes | None:
    """Return the bytes of an object, or None if it has more than `most`.

    Raises KeyError if it is missing.
    """
    content = bytearray()
    for chunk in store.stream(location):
        content += chunk
        if len(content) > most:
            return None
    return bytes(content)


def _parsed(content: bytes, uri: str) -> Vectors:
    if int.from_bytes(content[:8], "little") > _MOST_HEADER:
        raise EmbeddingMismatch(f"{uri} has a header of more than {_MOST_HEADER:,} bytes")
    try:
        tensors = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise EmbeddingMismatch(f"{uri} is no safetensors file: {error}") from None
    vectors = tensors.get(TENSOR)
    if vectors is None or vectors.dtype != np.float32 or vectors.ndim != 2:
        raise EmbeddingMismatch(f"{uri} has no tensor {TENSOR!r}, n × dimension, float32")
    if not 1 <= vectors.shape[1] <= _MOST_DIMENSIONS:
        raise EmbeddingMismatch(f"{uri} has vectors of {vectors.shape[1]:,} dimensions")
    return vectors
