"""Copy the living rows of segments to an index of Amazon S3 Vectors, and compare the two."""

from __future__ import annotations

import secrets
import time
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from containers.vector_index.backends.backend import Question
from containers.vector_index.backends.s3_vectors import S3VectorsBackend
from containers.vector_index.backends.vector_rows import index_of, keys_of, vectors_of
from containers.vector_index.stored.digests import BYTES
from containers.vector_index.stored.head import (
    Head,
    ObjectGone,
    Segment,
    Stored,
    Tombstones,
    with_head,
)
from containers.vector_index.stored.places import Places, now
from containers.vector_index.stored.rows import Digests, Mask, Rows, Vectors
from containers.vector_index.stored.segments import read_segment
from containers.vector_index.stored.tombstones import Rules, expired, read_rules
from pipeline.errors import CollectionBusy, StoreUnavailable

PART: Final = 5_000  # rows that are copied before the clock is read again
BEHIND_ALL: Final = f"{'f' * 64}:0"  # where a call stopped that only had to complete the copy
_CHUNK: Final = 8_192  # rows, in float32
_SAMPLES: Final = 20
_NEIGHBOURS: Final = 10
_SAME: Final = 1e-3  # between two cosines of the same vectors
_LEAST_RECALL: Final = 0.9  # S3 Vectors finds nearly all of the nearest
_STAMP: Final = 24  # bytes: an id and a time

Stamps = npt.NDArray[np.bytes_]


class Copied(NamedTuple):
    """The segments whose living rows an index has, by which rules, and the keys of these rows."""

    segments: frozenset[str]
    tombstones: tuple[Tombstones, ...]
    rules: Rules
    keys: frozenset[str]
    oldest: int

    def is_of(self, head: Head) -> bool:
        """Return True if the head has the same rules and all of these segments."""
        named = {each.sha256 for each in head.segments}
        return self.tombstones == head.tombstones and self.segments <= named


def copy_rows(places: Places, head: Head, until: float) -> tuple[int, str | None]:
    """Copy living rows from where the head says the last call stopped.

    Returns how many, and where this call stopped when `time.monotonic` passed `until`.
    """
    require_moving(head)
    first, _, row = ((head.moving and head.moving.after) or ":0").partition(":")
    rules, at, moved = read_rules(places, head), now(), 0
    for segment in sorted(head.segments, key=lambda each: each.sha256):
        if segment.sha256 < first:
            continue
        rows = read_segment(places, head, segment)
        alive = _alive(rows, head, rules, at)
        for start in range(int(row) if segment.sha256 == first else 0, len(rows), PART):
            if moved and time.monotonic() >= until:
                return moved, f"{segment.sha256}:{start}"
            part = np.arange(len(rows)) // PART == start // PART
            moved += _put(places, head, rows, alive & part)
    return moved, None


def complete(places: Places, head: Head, until: float) -> Copied | None:
    """Store the living rows that the index lacks, and delete what else it has.

    Returns None if `time.monotonic` passed `until` before.
    """
    require_moving(head)
    rules, at = read_rules(places, head), now()
    copies = () if head.dimension is None else map(_stamps, S3VectorsBackend(places).bare(head))
    there = np.concatenate([np.zeros(0, f"S{_STAMP}"), *copies])
    wanted: set[str] = set()
    oldest, moved = at, 0
    for segment in head.segments:
        rows = read_segment(places, head, segment)
        alive = _alive(rows, head, rules, at)
        lacking = np.flatnonzero(alive & ~np.isin(_stamps(rows), there))
        for start in range(0, len(lacking), PART):
            if moved and time.monotonic() >= until:
                return None
            part = np.isin(np.arange(len(rows)), lacking[start : start + PART])
            moved += _put(places, head, rows, part)
        wanted.update(keys_of(rows.ids[alive]))
        oldest = min(oldest, int(rows.enrolled_at[alive].min(initial=oldest)))
    others = [key for key in keys_of(_ids(there)) if key not in wanted]
    places.vectors().delete(index_of(places.vector_bucket, head), others)
    segments = frozenset(each.sha256 for each in head.segments)
    return Copied(segments, head.tombstones, rules, frozenset(wanted), oldest)


def compare(places: Places, name: str, copied: Copied) -> bool:
    """Return False if somebody was forgotten, or compaction ran, since the copy was completed.

    Raises StoreUnavailable if the index has fewer rows, or finds others than the segments.
    """
    wanted = len(copied.keys)
    if not wanted:
        return True
    there = with_head(places, name, lambda head: _count(places, head))
    recall = with_head(places, name, lambda head: _recall(places, head, copied))
    if recall is None:
        return False
    if there < wanted:
        raise StoreUnavailable(f"the index of {name} has {there:,} vectors, not {wanted:,}")
    if recall < _LEAST_RECALL:
        raise StoreUnavailable(
            f"the index of {name} finds {recall:.2f} of the nearest vectors of "
            f"{_SAMPLES} samples, not {_LEAST_RECALL}"
        )
    return True


def catch_up(places: Places, head: Head, copied: Copied) -> Stored | None:
    """Copy the segments that are newer; return what the index has then.

    Those that compaction wrote have nothing new, and are copied as well.
    """
    if head.dimension is None:
        return None
    if not copied.segments:
        places.vectors().create(index_of(places.vector_bucket, head), dimension=head.dimension)
    rules, at = read_rules(places, head), now()
    keys, killed, oldest = set(copied.keys), 0, copied.oldest
    for segment in head.segments:
        rows = read_segment(places, head, segment)
        if segment.sha256 in copied.segments:
            killed += int((rules.dead(rows) & ~copied.rules.dead(rows)).sum())
        else:
            alive = _alive(rows, head, rules, at)
            _put(places, head, rows, alive)
            keys.update(keys_of(rows.ids[alive]))
            oldest = min(oldest, segment.oldest)
    return Stored(rows=len(keys), dead=killed, oldest=oldest, swept=0)


def require_moving(head: Head) -> None:
    """Raise CollectionBusy if another task has ended the move."""
    if head.moving is None:
        raise CollectionBusy(f"the move of {head.name} was ended by another task")


def _alive(rows: Rows, head: Head, rules: Rules, at: int) -> Mask:
    alive: Mask = ~(rules.dead(rows) | expired(rows, head, at))
    return alive


def _put(places: Places, head: Head, rows: Rows, chosen: Mask) -> int:
    index, count = index_of(places.vector_bucket, head), int(chosen.sum())
    try:
        if count:
            places.vectors().put(index, vectors_of(head, rows.take(chosen), secrets.token_hex(8)))
    except KeyError:
        raise ObjectGone(f"the index {index.name}") from None
    return count


def _stamps(rows: Rows) -> Stamps:
    """Return ids with the times when their rows were asked for: the same id may come again."""
    times = rows.asked_at.astype(">i8")[:, None].view(np.uint8)
    joined = np.ascontiguousarray(np.concatenate([rows.ids, times], axis=1))
    return joined.view(f"S{_STAMP}").reshape(-1)


def _ids(stamps: Stamps) -> Digests:
    ids: Digests = stamps.view(np.uint8).reshape(-1, _STAMP)[:, :BYTES]
    return ids


def _count(places: Places, head: Head) -> int:
    require_moving(head)
    return sum(len(rows) for rows in S3VectorsBackend(places).bare(head))


def _recall(places: Places, head: Head, copied: Copied) -> float | None:
    """Return which part of the nearest rows of some sample rows the index finds, 0…1.

    Returns None if the copy is not of this head's segments any more.
    """
    require_moving(head)
    if not copied.is_of(head):
        return None
    at = now()
    queries = _samples(places, head, copied, at)
    exact = _nearest(places, head, copied, queries, at)
    moved = head.but(stored=Stored(rows=len(copied.keys), dead=0, oldest=0, swept=0))
    question = Question(queries, exact.shape[1])
    found = S3VectorsBackend(places).search(moved, copied.rules, question, at=at)
    good: list[float] = [
        sum(bool(hit.similarity >= row.min() - _SAME) for hit in hits) / len(row)
        for hits, row in zip(found.hits, exact, strict=True)
    ]
    return sum(good) / max(1, len(good))


def _samples(places: Places, head: Head, copied: Copied, at: int) -> Vectors:
    """Return the vectors of some living rows, spread over all segments."""
    every = max(1, len(copied.keys) // _SAMPLES)
    chosen, before = [], 0
    for segment in _compared(head, copied):
        rows = read_segment(places, head, segment)
        living = np.flatnonzero(_alive(rows, head, copied.rules, at))
        chosen.append(rows.vectors[living[-before % every :: every]].astype(np.float32))
        before += living.size
    return np.concatenate(chosen)[:_SAMPLES]


def _nearest(places: Places, head: Head, copied: Copied, queries: Vectors, at: int) -> Vectors:
    """Return the cosines of the rows that are nearest to each query, one row of them for each."""
    best = np.zeros((len(queries), 0), np.float32)
    for segment in _compared(head, copied):
        rows = read_segment(places, head, segment)
        alive = _alive(rows, head, copied.rules, at)
        for start in range(0, len(rows), _CHUNK):
            living = alive[start : start + _CHUNK]
            chunk = rows.vectors[start : start + _CHUNK][living].astype(np.float32)
            best = np.concatenate([best, queries @ chunk.T], axis=1)
            best = -np.sort(-best, axis=1)[:, :_NEIGHBOURS]
    return best


def _compared(head: Head, copied: Copied) -> list[Segment]:
    return [each for each in head.segments if each.sha256 in copied.segments]
