"""Backends: where the rows of a collection are. Head, rules and receipts are common to all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from containers.vector_index.head import Head
from containers.vector_index.rows import Digests, Fact, Mask, Rows, Vectors
from containers.vector_index.tombstones import Rules


class Hit(NamedTuple):
    """A row that is like a query: its cosine (-1…1), its fact, when it was enrolled (ms)."""

    similarity: float
    fact: Fact
    enrolled_at: int


class Found(NamedTuple):
    """The hits of each query by falling similarity, among `searched` rows that are not dead."""

    searched: int
    hits: tuple[tuple[Hit, ...], ...]


class Counts(NamedTuple):
    """`vectors` can be found, `forgotten` are dead but not erased; `bytes` as they are stored."""

    vectors: int
    forgotten: int
    segments: int
    bytes: int


class Compaction(NamedTuple):
    """The published head, rows and objects that are gone now, and a recall that was measured."""

    head: Head
    erased: int
    objects: int
    recall: float | None


class Backend(Protocol):
    """Where the rows of one collection are.

    Methods raise ObjectGone where a head is outdated, SegmentMismatch, and StoreUnavailable. `at`
    is the time in ms since 1970: rows that have expired by then are dead.
    """

    def known(self, head: Head, rules: Rules, ids: Digests, *, at: int) -> Mask:
        """Return which of these ids are those of rows that are not dead."""
        ...

    def add(self, head: Head, rows: Rows, *, dead: int) -> Head:
        """Store rows; return the head that has them, which the caller publishes.

        `dead` of them are killed by the head's rules. The same rows may be added again, to a newer
        head.
        """
        ...

    def discard(self, head: Head | None) -> None:
        """Erase what was added and is not of the published head. None: nothing was published."""
        ...

    def rows(self, head: Head) -> Iterator[Rows]:
        """Yield all rows, dead ones too, in parts that fit into memory."""
        ...

    def buried(self, head: Head, rules: Rules) -> Head:
        """Return the head with its rows counted again that are dead by these rules."""
        ...

    def search(
        self, head: Head, rules: Rules, queries: Vectors, *, k: int, person: bytes | None, at: int
    ) -> Found:
        """Return for each query the `k` most similar rows that are not dead.

        `queries` are n × dimension, of length 1. With `person`, only rows of this digest count.
        Raises CollectionTooLarge if the collection does not fit into memory.
        """
        ...

    def compact(self, head: Head, *, at: int, force: bool) -> Compaction:
        """Erase rows that are dead for long enough, or all with `force`; publish the heads."""
        ...

    def count(self, head: Head, rules: Rules, *, at: int) -> Counts: ...

    def erase(self, head: Head) -> int:
        """Delete all rows for good, in every version; return how many objects there were."""
        ...
