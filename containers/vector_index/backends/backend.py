"""Backends: where the rows of a collection are. Head, rules and receipts are common to all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from containers.vector_index.stored.head import Head
from containers.vector_index.stored.rows import Fact, Kind, Mask, Rows, Vectors
from containers.vector_index.stored.tombstones import Rules


class Question(NamedTuple):
    """Vectors to look for (n × dimension, of length 1), and how many rows each may find.

    With `person`, only rows of this digest count. Hits below `least` (a cosine) are not returned.
    """

    vectors: Vectors
    k: int
    person: bytes | None = None
    least: float = -1


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
    """The head without rows that were dead, and how many are already erased without a receipt.

    Objects of `at_once` are among the head's superseded ones, and must not wait for readers.
    `overdue` rows were still there at their deadline.
    """

    head: Head
    erased: int = 0
    overdue: int = 0
    at_once: frozenset[str] = frozenset()


class Backend(Protocol):
    """Where the rows of one collection are.

    Methods raise ObjectGone where a head is outdated, SegmentMismatch, and StoreUnavailable. `at`
    is the time in ms since 1970: rows that have expired by then are dead.
    """

    def known(self, head: Head, rules: Rules, rows: Rows, *, at: int) -> Mask:
        """Return which of these new rows the collection has already, and not dead."""
        ...

    def add(self, head: Head, rows: Rows) -> Head:
        """Store rows that no rule kills; return the head that has them, which is not published.

        The same rows may be added again, to a newer head, or fewer, or none: a rule that was
        published meanwhile has killed the others.
        """
        ...

    def discard(self, head: Head | None) -> None:
        """Erase what was added and is not in the published head; None: nothing was published."""
        ...

    def rows(
        self, head: Head, *, of: tuple[Kind, bytes] | None = None, vectors: bool = True
    ) -> Iterator[Rows]:
        """Yield all rows, or those of a digest, dead ones too, in parts that fit into memory.

        Without `vectors`, these may be n × 0.
        """
        ...

    def buried(self, head: Head, rules: Rules, *, killed: int) -> Head:
        """Return the head with its rows counted that are dead by these rules.

        The last of these kill `killed` rows that no other does.
        """
        ...

    def search(self, head: Head, rules: Rules, question: Question, *, at: int) -> Found:
        """Return for each query the most similar rows that are not dead.

        Raises CollectionTooLarge if the collection does not fit into memory.
        """
        ...

    def compact(self, head: Head, rules: Rules, *, at: int, force: bool) -> Compaction:
        """Take out rows that have been dead for long enough, with `force` all dead ones.

        Publishes heads.
        """
        ...

    def count(self, head: Head, rules: Rules, *, at: int) -> Counts: ...

    def erase(self, head: Head) -> int:
        """Delete all rows outside the collections bucket; return how many objects these were."""
        ...
