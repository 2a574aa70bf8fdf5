"""Compare queries with the rows of a few lists only: those whose centroids are most like them.

Centroids are trained, and lists built, in memory whenever a segment is loaded. Kept centroids would
outlive the vectors that they were trained on, and each may be near one person. Three rounds on a
sample are a sixth of the training that faiss suggests: more lists are compared instead, which at
100,000 vectors still takes a tenth of the time of comparing all. Comparing with all lists is exact.
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

_PIECE: Final = 8192  # rows whose lists are looked for at once
_ROWS_PER_CENTROID: Final = 32  # of training
_ROUNDS: Final = 3
_SEED: Final = 20


@dataclass(frozen=True, eq=False)
class Ivf:
    """The rows of a segment in lists. Those of the `effort` nearest centroids are compared."""

    index: faiss.IndexIVFScalarQuantizer
    effort: int

    @classmethod
    def of(cls, codes: Codes, *, effort: int, threads: int) -> Ivf:
        """Sort vectors (n × dimension), which may be a mapped file, into lists."""
        import faiss

        centroids = _trained(codes, threads)
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
        return cls(index, effort)

    @property
    def count(self) -> int:
        return int(self.index.ntotal)

    def nearest(
        self, queries: Vectors, k: int, among: Bitmap, *, exact: bool
    ) -> tuple[Similarities, Numbers]:
        import faiss

        probes = self.index.nlist if exact else self.effort
        chosen = parameters(faiss.SearchParametersIVF, among, nprobe=probes)
        return self.index.search(queries, k, params=chosen)


def _trained(codes: Codes, threads: int) -> Vectors:
    """Return centroids (4√n × dimension) of a sample: the same ones for the same vectors."""
    import faiss

    rows, dimension = codes.shape
    count = _lists(rows)
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


def ivf_bytes(rows: int, dimension: int) -> int:
    """Return the memory of a block while it is built: vectors, row numbers, centroids, a sample."""
    return rows * (2 * dimension + 8) + 4 * _lists(rows) * (1 + _ROWS_PER_CENTROID) * dimension


def _lists(rows: int) -> int:
    return min(rows, int(4 * rows**0.5))


def _owners(codes: Codes, quantizer: faiss.IndexFlatIP) -> Numbers:
    """Return the number of each row's list."""
    owners = np.empty(len(codes), np.int64)
    for start in range(0, len(codes), _PIECE):
        some = slice(start, start + _PIECE)
        owners[some] = quantizer.search(codes[some].astype(np.float32), 1)[1][:, 0]
    return owners
