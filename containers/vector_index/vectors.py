"""Name the arrays of this container, and make vectors comparable.

Vectors are compared by their cosine: all have length 1, so that it is an inner product.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]  # (n, dimension), each of length 1
Codes = npt.NDArray[np.float16]  # (n, dimension): vectors as they are kept
Flags = npt.NDArray[np.bool_]  # (rows,)
Bitmap = npt.NDArray[np.uint8]  # (rows / 8,): flags, of which a byte's lowest bit is the first
Similarities = npt.NDArray[np.float32]  # (queries, k), falling; -1…1
Rows = npt.NDArray[np.int64]  # (queries, k); -1 where there are no more rows

NONE = -1  # in `Rows`


def unit(raw: npt.NDArray[np.floating]) -> Vectors:
    """Return rows (n × dimension) with length 1. Raises ValueError for NaN, infinity and zero."""
    exact = raw.astype(np.float64)  # squares of float32 may be infinite
    lengths = np.linalg.norm(exact, axis=1, keepdims=True)
    for wrong, what in ((~np.isfinite(lengths), "NaN or infinity"), (lengths == 0, "only zeros")):
        if wrong.any():
            raise ValueError(f"vector {int(np.flatnonzero(wrong)[0])} has {what}")
    vectors: Vectors = (exact / lengths).astype(np.float32)
    return vectors


def bitmap(flags: Flags) -> Bitmap:
    return np.packbits(flags, bitorder="little")


def clamped(similarities: npt.NDArray[np.float32]) -> Similarities:
    """Return cosines within -1…1: rounded vectors are not quite of length 1."""
    return np.clip(similarities, -1, 1)
