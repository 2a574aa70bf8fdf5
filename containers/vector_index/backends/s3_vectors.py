"""The backend `s3-vectors`: rows in an index of Amazon S3 Vectors, which searches it itself.

A row can be found as soon as it is stored. Rules and retention say which rows are dead, whichever
was stored first; searches leave them out, and compaction erases them. The head counts rows, and
compaction counts them again.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, NamedTuple

import numpy as np

from containers.vector_index.backends.backend import Compaction, Counts, Found, Hit, Question
from containers.vector_index.backends.vector_rows import (
    index_of,
    keys_of,
    rows_of,
    vectors_of,
    weights_of,
)
from containers.vector_index.stored.head import Head, ObjectGone, Stored, change_head
from containers.vector_index.stored.places import Places, now
from containers.vector_index.stored.rows import Kind, Mask, Rows
from containers.vector_index.stored.tombstones import DAY, Rules, dead_since, expired
from pipeline.aws.s3_vectors import (
    MOST_CONSTRAINTS,
    MOST_NEIGHBOURS,
    Neighbour,
    S3Vectors,
    Vector,
    VectorIndex,
)

_PART: Final = 10_000  # rows in memory
_MOST_DEAD: Final = 0.2  # of all rows
_FILTERED_RULES: Final = (MOST_CONSTRAINTS - 4) // 2  # a rule is two constraints
_VALUE_BYTES: Final = 4
_SPARE: Final = 2 * DAY  # before the deadline, for runs that fail
_LATE: Final = 15 * DAY  # what was asked for earlier is never enrolled


class Sweep(NamedTuple):
    """How many rows were erased, how many are left, and when the oldest of these was enrolled.

    Of those erased, `overdue` had reached their deadline.
    """

    erased: int
    overdue: int
    living: int
    oldest: int


@dataclass(frozen=True)
class S3VectorsBackend:
    """The index of a collection, and the vectors that this task added."""

    places: Places
    added: dict[VectorIndex, frozenset[str]] = field(default_factory=dict)
    by: str = field(default_factory=lambda: secrets.token_hex(8))

    def known(self, head: Head, rules: Rules, rows: Rows, *, at: int) -> Mask:
        keys = keys_of(rows.ids)
        if head.stored is None:
            return np.zeros(len(keys), np.bool_)
        index = self._index(head)
        with _there(index):
            found = list(self._store.get(index, keys).values())
        alive = ~_dead(_bare(head, found), head, rules, at)
        living = {each.key for each, lives in zip(found, alive, strict=True) if lives}
        return np.array([key in living for key in keys], np.bool_)

    def add(self, head: Head, rows: Rows) -> Head:
        index, keys = self._index(head), frozenset(keys_of(rows.ids))
        added = self.added.get(index, frozenset())
        if head.stored is None and keys:
            self._store.create(index, dimension=rows.vectors.shape[1])
        if keys - added:
            with _there(index):
                self._store.put(index, vectors_of(head, rows, self.by))
        self.added[index] = added | keys
        late = len(added - keys)  # a rule that was published meanwhile has killed them
        first = int(rows.enrolled_at.min(initial=now()))
        stored = head.stored or Stored(rows=0, dead=0, oldest=first, swept=0)
        return head.but(
            stored=Stored(
                rows=stored.rows + len(rows) + late,
                dead=stored.dead + late,
                oldest=min(stored.oldest, first),
                swept=stored.swept,
                erased=stored.erased,
            )
        )

    def discard(self, head: Head | None) -> None:
        if head is not None:
            return
        for index, keys in self.added.items():
            try:
                stored = self._store.get(index, keys)
                mine = [key for key, each in stored.items() if each.metadata.get("by") == self.by]
                self._store.delete(index, mine)
            except KeyError:
                continue  # the collection was deleted

    def rows(
        self, head: Head, *, of: tuple[Kind, bytes] | None = None, vectors: bool = True
    ) -> Iterator[Rows]:
        if head.stored is None:
            return
        if of is None and vectors:
            for part in self._scan(head, values=True):
                yield _whole(head, [each for each in part if _is_own(head, each)])
            return
        for rows in self.bare(head):
            chosen = rows if of is None else rows.take(rows.of(*of))
            if vectors and len(chosen):
                index = self._index(head)
                with _there(index):
                    found = self._store.get(index, keys_of(chosen.ids), values=True)
                yield _whole(head, found.values())
            elif len(chosen):
                yield chosen

    def bare(self, head: Head) -> Iterator[Rows]:
        """Yield all rows of the index in parts, without their vectors."""
        for part in self._scan(head):
            yield _bare(head, (each for each in part if _is_own(head, each)))

    def buried(self, head: Head, rules: Rules, *, killed: int) -> Head:  # noqa: ARG002 - see below
        if head.stored is None:
            return head
        # To read all rows takes minutes, in which others would always publish first.
        return head.but(stored=_with(head.stored, dead=head.stored.dead + killed))

    def search(self, head: Head, rules: Rules, question: Question, *, at: int) -> Found:
        if head.stored is None:
            return Found(0, tuple(() for _ in question.vectors))
        searched = max(0, head.stored.rows - head.stored.dead)
        hits = (
            self._nearest(head, rules, values.tolist(), question, at) for values in question.vectors
        )
        return Found(searched, tuple(hits))

    def compact(self, head: Head, rules: Rules, *, at: int, force: bool) -> Compaction:
        before = head.stored
        if before is None:
            return self._compact_unpublished(head, rules, at=at, force=force)
        if not (force or _is_due(head, before, rules, at)):
            return Compaction(head, erased=before.erased)
        found = self.sweep(head, rules, at=at)
        # What a run erased that was killed before it could say so is gone as well
        erased = max(found.erased, before.rows - found.living)

        def swept(latest: Head) -> Head:
            known = latest.stored
            if known is None or latest.id != head.id:
                return latest
            counted = Stored(
                rows=max(0, found.living + known.rows - before.rows),
                dead=max(0, known.dead - before.dead),
                oldest=found.oldest
                if known.rows == before.rows
                else min(found.oldest, known.oldest),
                swept=at,
                erased=known.erased + erased,
            )
            return latest.but(stored=counted)

        head = change_head(self.places, head.name, swept)
        left = head.stored.erased if head.stored else 0
        return Compaction(head, erased=left, overdue=found.overdue)

    def _compact_unpublished(self, head: Head, rules: Rules, *, at: int, force: bool) -> Compaction:
        """Delete dead vectors of a first enrolment that was killed: no head counts them."""
        if not (force or _is_near(head, rules, at)):
            return Compaction(head)
        try:
            found = self.sweep(head, rules, at=at)
        except ObjectGone:
            return Compaction(head)  # nothing was ever stored
        return Compaction(head, erased=found.erased, overdue=found.overdue)

    def sweep_copy(self, head: Head, rules: Rules, *, at: int) -> None:
        """Delete the vectors of dead rows of a collection that moves here."""
        try:
            self.sweep(head, rules, at=at)
        except ObjectGone:
            return  # nothing is copied yet

    def sweep(self, head: Head, rules: Rules, *, at: int) -> Sweep:
        """Delete the vectors of dead rows, and count the others."""
        dead: list[str] = []
        living, oldest, overdue = 0, at, 0
        deadline = at - head.erase_within_days * DAY
        for part in self._scan(head):
            rows = _bare(head, (each for each in part if _is_own(head, each)))
            gone = _dead(rows, head, rules, at)
            dead += [each.key for each in part if not _is_own(head, each)]
            dead += keys_of(rows.ids[gone])
            living += int((~gone).sum())
            overdue += int(dead_since(rows, head, rules, deadline).sum())
            oldest = min(oldest, int(rows.enrolled_at[~gone].min(initial=oldest)))
        index = self._index(head)
        with _there(index):
            self._store.delete(index, dead)
        return Sweep(len(dead), overdue, living, oldest)

    def count(self, head: Head, rules: Rules, *, at: int) -> Counts:  # noqa: ARG002 - counted before
        if head.stored is None:
            return Counts(0, 0, 0, 0)
        rows, dead = head.stored.rows, min(head.stored.dead, head.stored.rows)
        return Counts(rows - dead, dead, 0, rows * (head.dimension or 0) * _VALUE_BYTES)

    def erase(self, head: Head) -> int:
        self._store.drop(self._index(head))
        return head.stored.rows if head.stored else 0

    @property
    def _store(self) -> S3Vectors:
        return self.places.vectors()

    def _index(self, head: Head) -> VectorIndex:
        return index_of(self.places.vector_bucket, head)

    def _scan(self, head: Head, *, values: bool = False) -> Iterator[list[Vector]]:
        index = self._index(head)
        with _there(index):
            yield from _parts(self._store.scan(index, values=values))

    def _nearest(
        self, head: Head, rules: Rules, values: list[float], question: Question, at: int
    ) -> tuple[Hit, ...]:
        """Return the hits of one query; leave out by id dead rows that the filter does not."""
        index, dead, most = self._index(head), list[str](), question.k
        while True:
            where = _filter(head, rules, question.person, dead, at)
            with _there(index):
                found = self._store.query(index, values, most=most, where=where)
            rows = _bare(head, found)
            gone = _dead(rows, head, rules, at)
            more = {each.key for each, is_dead in zip(found, gone, strict=True) if is_dead}
            if more <= set(dead):
                break
            dead += sorted(more)
            most = MOST_NEIGHBOURS
        hits = (
            Hit(each.similarity, rows.fact(row), int(rows.enrolled_at[row]))
            for row, each in enumerate(found)
            if not gone[row] and each.similarity >= question.least
        )
        return tuple(islice(hits, question.k))


@contextmanager
def _there(index: VectorIndex) -> Iterator[None]:
    """Raise ObjectGone if there is no such index any more."""
    try:
        yield
    except KeyError:
        raise ObjectGone(f"the index {index.name}") from None


def _filter(
    head: Head, rules: Rules, person: bytes | None, dead: list[str], at: int
) -> dict[str, Any]:
    """Return a filter for rows that have not expired, and that the latest rules do not kill."""
    latest = sorted(rules.each(), key=lambda rule: rule.at, reverse=True)[:_FILTERED_RULES]
    every: list[dict[str, Any]] = [
        {"weights": weights_of(head)},
        {"enrolled_at": {"$gt": at - head.consent.retention_days * DAY}},
        *(
            {"$or": [{rule.kind: {"$ne": rule.digest}}, {"asked_at": {"$gt": rule.at}}]}
            for rule in latest
        ),
    ]
    if person is not None:
        every.append({"person": person.hex()})
    if dead:
        every.append({"id": {"$nin": dead}})
    return {"$and": every}


def _with(stored: Stored, **changed: int) -> Stored:
    return stored.model_copy(update=changed)


def _dead(rows: Rows, head: Head, rules: Rules, at: int) -> Mask:
    return rules.dead(rows) | expired(rows, head, at)


def _is_own(head: Head, vector: Vector) -> bool:
    return head.weights_sha256 is None or vector.metadata.get("weights") == weights_of(head)


def _is_due(head: Head, stored: Stored, rules: Rules, at: int) -> bool:
    """Return True if the deadline of a rule or an expiry is near, or many rows are dead.

    Each rule has a turn before its deadline, whatever the head counts. It also has a last one,
    after which no enrolment can be late: only then it is dropped.
    """
    wait = _wait(head)
    times = [rule.at for rule in rules.each()]
    return (
        (stored.dead > 0 and _is_near(head, rules, at))
        or stored.dead > stored.rows * _MOST_DEAD
        or stored.oldest + head.consent.retention_days * DAY <= at - wait
        or any(stored.swept < each + turn <= at for each in times for turn in (wait, _LATE))
    )


def _is_near(head: Head, rules: Rules, at: int) -> bool:
    return any(rule.at + _wait(head) <= at for rule in rules.each())


def _wait(head: Head) -> int:
    """Return how long (ms) rows may be dead before they are erased, if every run succeeds."""
    return max(0, head.erase_within_days * DAY - _SPARE)


def _bare(head: Head, found: Iterable[Vector | Neighbour]) -> Rows:
    """Return rows without their vectors."""
    vectors = list(found)
    metadata = [each.metadata for each in vectors]
    return rows_of(head, [each.key for each in vectors], metadata, np.zeros((len(vectors), 0)))


def _whole(head: Head, found: Iterable[Vector]) -> Rows:
    vectors = list(found)
    values = [each.values for each in vectors]
    return rows_of(
        head, [each.key for each in vectors], [each.metadata for each in vectors], values
    )


def _parts(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while part := list(islice(rest, _PART)):
        yield part
