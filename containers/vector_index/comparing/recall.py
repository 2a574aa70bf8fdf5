"""Decide whether an approximate index finds enough of what an exact one finds.

Queries are sampled from the rows and left out of the index, as faces of a new photo are. A match
is a row, among the hundred nearest, that is at least as similar as two vectors of one person are.
Searches below that similarity were not measured, so they are exact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from containers.vector_index.comparing.arrays import NONE, Bitmap, bitmap
from containers.vector_index.comparing.hnsw import Hnsw
from containers.vector_index.comparing.ivf import Ivf
from containers.vector_index.stored.rows import Codes, Mask, Vectors

Approximate = Literal["ivf", "hnsw"]

EFFORT: Final = "effort"  # the parameter of an index that was measured
LEAST_RECALL: Final = 0.98
LEAST_ROWS: Final = 10_000  # fewer are compared exactly in less than a millisecond
QUERIES: Final = 400
_MOST_MATCHES: Final = 100  # of a query: what a search returns at most
_LEAST_MATCHES: Final = 100  # of all queries: of fewer, a share says little
_EFFORTS: Final[dict[Approximate, tuple[int, ...]]] = {
    "ivf": (8, 16, 32, 64, 128),
    "hnsw": (64, 128, 256),
}
_SEED: Final = 20


@dataclass(frozen=True, eq=False)
class Tuned:
    """An index that is good enough, with the least effort that makes it so."""

    effort: int
    recall: float


@dataclass(frozen=True)
class Refused:
    """An index that must not be used: its recall, if it was measured, and why not."""

    recall: float | None
    why: str


def tune(
    kind: Approximate, codes: Codes, alive: Mask, *, same_above: float, threads: int
) -> Tuned | Refused:
    """Build an index of the vectors (n × dimension), measure it, and choose its effort."""
    import faiss

    if len(codes) < LEAST_ROWS:
        return Refused(None, f"{len(codes):,} vectors are compared as quickly without it")
    asked = np.random.default_rng(_SEED).permutation(np.flatnonzero(alive))[:QUERIES]
    queries = codes[asked].astype(np.float32)
    others, living = np.delete(codes, asked, axis=0), bitmap(np.delete(alive, asked))
    made: type[Ivf | Hnsw] = Ivf if kind == "ivf" else Hnsw
    block = made.of(others, effort=0, threads=threads)
    faiss.omp_set_num_threads(threads)
    measure = _Measure(queries, living, same_above)
    matches = measure.matches(block, exact=True)
    wanted = sum(map(len, matches))
    if wanted < _LEAST_MATCHES:
        return Refused(None, f"only {wanted} pairs are alike: too few to measure it with")
    recall = 0.0
    for effort in _EFFORTS[kind]:
        found = measure.matches(replace(block, effort=effort), exact=False)
        recall = sum(len(a & b) for a, b in zip(matches, found, strict=True)) / wanted
        if recall >= LEAST_RECALL:
            return Tuned(effort, recall)
    return Refused(recall, f"it finds {recall:.1%} of the matches; {LEAST_RECALL:.0%} are required")


@dataclass(frozen=True, eq=False)
class _Measure:
    queries: Vectors
    among: Bitmap
    same_above: float

    def matches(self, block: Ivf | Hnsw, *, exact: bool) -> list[set[int]]:
        """Return the rows that match each query."""
        similarities, rows = block.nearest(self.queries, _MOST_MATCHES, self.among, exact=exact)
        return [
            set(map(int, near[(similar >= self.same_above) & (near != NONE)]))
            for similar, near in zip(similarities, rows, strict=True)
        ]
