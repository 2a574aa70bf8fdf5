"""Compare queries with rows along a graph of neighbours. The graph is built in memory.

Building takes a thousand times as long as comparing all rows once, at each cold start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from containers.vector_index.comparing.arrays import Bitmap, Numbers, Similarities
from containers.vector_index.comparing.blocks import parameters
from containers.vector_index.comparing.flat import Flat, half_precision
from containers.vector_index.stored.rows import Codes, Vectors

if TYPE_CHECKING:
    import faiss

_LINKS: Final = 32  # of a row, in the graph's layers but the lowest, which has twice as many
_PIECE: Final = 8192  # rows that are added at once


@dataclass(frozen=True, eq=False)
class Hnsw:
    """The rows of a segment in a graph. A search keeps the `effort` best rows as it goes along."""

    rows: Flat
    graph: faiss.IndexHNSW
    effort: int

    @classmethod
    def of(cls, codes: Codes, *, effort: int, threads: int) -> Hnsw:
        """Link vectors (n × dimension), which may be a mapped file."""
        import faiss

        rows = half_precision(codes.shape[1])
        graph = faiss.IndexHNSW(rows, _LINKS)  # type: ignore[arg-type] # the stub knows one of two
        faiss.omp_set_num_threads(threads)
        for start in range(0, len(codes), _PIECE):
            graph.add(codes[start : start + _PIECE].astype(np.float32))
        return cls(Flat(rows), graph, effort)

    @property
    def count(self) -> int:
        return self.rows.count

    def nearest(
        self, queries: Vectors, k: int, among: Bitmap, *, exact: bool
    ) -> tuple[Similarities, Numbers]:
        import faiss

        if exact:
            return self.rows.nearest(queries, k, among)
        kind = faiss.SearchParametersHNSW  # type: ignore[attr-defined] # the stub lacks it
        chosen = parameters(kind, among, efSearch=max(self.effort, k))
        return self.graph.search(queries, k, params=chosen)


def hnsw_bytes(rows: int, dimension: int) -> int:
    """Return the memory of a block: its vectors and their links."""
    return rows * (2 * dimension + 4 * (2 * _LINKS + 4))
