"""Compare queries with all rows of a segment: exact, with two bytes for each number.

faiss's codes of this kind are the numbers as a segment has them, so they are copied into its memory
and nothing is computed. Comparing is bound by memory: half precision is twice as quick as single.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from containers.vector_index.comparing.arrays import Bitmap, Numbers, Similarities
from containers.vector_index.comparing.blocks import parameters
from containers.vector_index.stored.rows import Codes, Vectors

if TYPE_CHECKING:
    import faiss

_PIECE: Final = 8192  # rows that are copied at once, so that few pages of a mapped file are held


@dataclass(frozen=True, eq=False)
class Flat:
    """All rows of a segment in memory."""

    index: faiss.IndexScalarQuantizer

    @classmethod
    def of(cls, codes: Codes) -> Flat:
        """Copy vectors (n × dimension), which may be a mapped file."""
        import faiss

        rows, dimension = codes.shape
        index = half_precision(dimension)
        index.codes.resize(codes.nbytes)
        index.ntotal = rows
        if rows:
            own = faiss.rev_swig_ptr(index.codes.data(), codes.nbytes).view(np.float16)
            own = own.reshape(rows, dimension)
            for start in range(0, rows, _PIECE):
                own[start : start + _PIECE] = codes[start : start + _PIECE]
        return cls(index)

    @property
    def count(self) -> int:
        return int(self.index.ntotal)

    def nearest(
        self,
        queries: Vectors,
        k: int,
        among: Bitmap,
        *,
        exact: bool = True,  # noqa: ARG002 - it always is
    ) -> tuple[Similarities, Numbers]:
        import faiss

        return self.index.search(queries, k, params=parameters(faiss.SearchParameters, among))


def half_precision(dimension: int) -> faiss.IndexScalarQuantizer:
    """Return an empty index whose codes are vectors with two bytes for each number."""
    import faiss

    kind = faiss.ScalarQuantizer.QT_fp16
    return faiss.IndexScalarQuantizer(dimension, kind, faiss.METRIC_INNER_PRODUCT)


def flat_bytes(rows: int, dimension: int) -> int:
    """Return the memory of a block."""
    return 2 * rows * dimension
