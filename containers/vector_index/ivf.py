"""Compare queries with the rows of a few lists only: those whose centroids are most like them.

Centroids are trained when a collection is compacted, and kept as an array. The lists are built in
memory from a segment's vectors. Comparing with all lists is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import faiss
import numpy as np

from containers.vector_index.blocks import parameters
from containers.vector_index.vectors import Bitmap, Codes, Rows, Similarities, Vectors

_PIECE: Final = 8192  # rows whose lists are looked for at once
_ROWS_PER_CENTROID: Final = 64  # of training: more change little
_ROUNDS: Final = 10
_SEED: Final = 20


@dataclass(frozen=True, eq=False)
class Ivf:
    """The rows of a segment in lists. `probes` are compared, of `centroids`."""

    index: faiss.IndexIVFScalarQuantizer
    probes: int

    @classmethod
    def of(cls, codes: Codes, centroids: Vectors, *, probes: int, threads: int) -> Ivf:
        """Sort vectors (n × dimension), which may be a mapped file, into lists."""
        quantizer = faiss.IndexFlatIP(centroids.shape[1])
        quantizer.add(centroids)
        index = faiss.IndexIVFScalarQuantizer(
            quantizer,
            centroids.shape[1],
            len(centroids),
            faiss.ScalarQuantizer.QT_fp16,
            faiss.METRIC_INNER_PRODUCT,
            False,  # noqa: FBT003 - faiss's: codes are the vectors themselves
        )
        index.is_trained = True
        lists = faiss.downcast_InvertedLists(index.invlists)  # type: ignore[arg-type] # it has them
        faiss.omp_set_num_threads(threads)
        owners = _owners(codes, quantizer)
        order = np.argsort(owners, kind="stable")
        ends = np.cumsum(np.bincount(owners, minlength=len(centroids)))
        for number, rows in enumerate(np.split(order, ends[:-1])):
            if len(rows):
                own = np.ascontiguousarray(codes[rows]).view(np.uint8)
                lists.add_entries(number, len(rows), faiss.swig_ptr(rows), faiss.swig_ptr(own))
        index.ntotal = len(codes)
        return cls(index, probes)

    @property
    def count(self) -> int:
        return int(self.index.ntotal)

    def nearest(
        self, queries: Vectors, k: int, among: Bitmap, *, exact: bool
    ) -> tuple[Similarities, Rows]:
        probes = self.index.nlist if exact else self.probes
        chosen = parameters(faiss.SearchParametersIVF, among, nprobe=probes)
        return self.index.search(queries, k, params=chosen)


def train_centroids(codes: Codes, *, threads: int) -> Vectors:
    """Return centroids (4√n × dimension) of a sample of vectors: repeatable."""
    rows, dimension = codes.shape
    count = min(rows, int(4 * rows**0.5))
    sampled = np.random.default_rng(_SEED).permutation(rows)[: count * _ROWS_PER_CENTROID]
    faiss.omp_set_num_threads(threads)
    means = faiss.Kmeans(
        dimension,
        count,
        niter=_ROUNDS,
        seed=_SEED,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=_ROWS_PER_CENTROID,
    )
    means.train(codes[np.sort(sampled)].astype(np.float32))
    return np.asarray(means.centroids, np.float32)


def ivf_bytes(rows: int, dimension: int, centroids: int) -> int:
    """Return the memory of a block: its vectors with their row numbers, and the centroids."""
    return rows * (2 * dimension + 8) + 4 * centroids * dimension


def _owners(codes: Codes, quantizer: faiss.IndexFlatIP) -> Rows:
    """Return the number of each row's list."""
    owners = np.empty(len(codes), np.int64)
    for start in range(0, len(codes), _PIECE):
        some = slice(start, start + _PIECE)
        owners[some] = quantizer.search(codes[some].astype(np.float32), 1)[1][:, 0]
    return owners
