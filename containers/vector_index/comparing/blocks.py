"""Compare queries with the rows of many segments: each segment is a block of its own.

So a collection grows by a segment, and shrinks by one, without touching the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from containers.vector_index.comparing.arrays import NONE, Bitmap, Numbers, Similarities, clamped
from containers.vector_index.stored.rows import Vectors

if TYPE_CHECKING:
    import faiss

P = TypeVar("P", bound="faiss.SearchParameters")

_WORTH_A_THREAD: Final = 2**22  # products of numbers: about a quarter of a millisecond


class Block(Protocol):
    """The vectors of one segment, loaded."""

    @property
    def count(self) -> int: ...

    def nearest(
        self, queries: Vectors, k: int, among: Bitmap, *, exact: bool
    ) -> tuple[Similarities, Numbers]:
        """Return the k nearest rows of `among` for each query, by falling similarity.

        A block that is never approximate does the same with and without `exact`.
        """
        ...


class Neighbour(NamedTuple):
    """A row of a block, and its similarity to a query (-1…1)."""

    similarity: float
    block: int
    row: int


@dataclass(frozen=True)
class Wanted:
    """Queries (q × dimension, length 1), and how many rows to return for each at most.

    `exact` compares all rows, where an approximate block would skip some.
    """

    queries: Vectors
    k: int
    exact: bool = False


class _Found(NamedTuple):
    """What one block answered: (queries, k) each."""

    similarities: Similarities
    rows: Numbers
    blocks: npt.NDArray[np.intp]

    @classmethod
    def none(cls, queries: int) -> _Found:
        return cls(
            np.zeros((queries, 0), np.float32),
            np.zeros((queries, 0), np.int64),
            np.zeros((queries, 0), np.intp),
        )


def nearest(
    wanted: Wanted, blocks: Sequence[Block], among: Sequence[Bitmap], *, threads: int
) -> list[list[Neighbour]]:
    """Return the rows most like each query among those that a block's bitmap allows.

    Of equal similarities, the row of the first block is first.
    """
    import faiss

    found = [_Found.none(len(wanted.queries))]
    for at, (block, allowed) in enumerate(zip(blocks, among, strict=True)):
        if allowed.any():
            faiss.omp_set_num_threads(_threads(wanted, block.count, threads))
            answer = block.nearest(wanted.queries, wanted.k, allowed, exact=wanted.exact)
            found.append(_Found(*answer, np.full(answer[1].shape, at)))
    similarities, rows, owners = (
        np.concatenate(parts, axis=1) for parts in zip(*found, strict=True)
    )
    similarities = clamped(similarities)
    order = np.argsort(np.where(rows == NONE, np.inf, -similarities), axis=1, kind="stable")
    return [
        [
            Neighbour(float(similarities[query, at]), int(owners[query, at]), int(rows[query, at]))
            for at in order[query, : wanted.k]
            if rows[query, at] != NONE
        ]
        for query in range(len(wanted.queries))
    ]


def parameters(kind: type[P], among: Bitmap, **settings: int) -> P:
    """Return faiss's parameters of a search among the rows of a bitmap, which they keep alive."""
    import faiss

    made = kind()
    made.sel = faiss.IDSelectorBitmap(among)  # type: ignore[call-arg, arg-type] # the stub is C++'s
    for name, value in settings.items():
        setattr(made, name, value)
    return made


def _threads(wanted: Wanted, rows: int, most: int) -> int:
    """Return 1 for one query: faiss gives each thread queries of its own."""
    queries = len(wanted.queries)
    return max(1, min(most, queries, wanted.queries.size * rows // _WORTH_A_THREAD))
