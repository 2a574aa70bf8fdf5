"""Keep the vectors of collections in memory between calls: of those that were searched last.

A segment is known by its SHA-256, so a search loads only the segments that are new.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from containers.vector_index.backends.backend import Found, Hit, Question
from containers.vector_index.backends.living import not_ruled_out, of_person
from containers.vector_index.comparing.arrays import bitmap
from containers.vector_index.comparing.blocks import Block, Neighbour, Wanted, nearest
from containers.vector_index.comparing.flat import Flat, flat_bytes
from containers.vector_index.comparing.hnsw import Hnsw, hnsw_bytes
from containers.vector_index.comparing.ivf import Ivf, ivf_bytes
from containers.vector_index.comparing.recall import EFFORT, LEAST_ROWS
from containers.vector_index.stored.head import Head, Index, Segment
from containers.vector_index.stored.places import Places
from containers.vector_index.stored.rows import Mask, Rows
from containers.vector_index.stored.segments import keep_only, read_segment
from containers.vector_index.stored.tombstones import DAY, Rules, expired
from pipeline.errors import CollectionTooLarge
from pipeline.parallel import threads

OTHER_MB: Final = 384  # of a function, for all but vectors: Python, libraries, facts, masks
_MB: Final = 2**20


class _Held(NamedTuple):
    """A segment in memory: its vectors, and its other columns, which stay mapped from disk."""

    block: Block
    rows: Rows
    bytes: int


@dataclass(eq=False)
class _Collection:
    """The segments of a head, and which of their rows no rule kills."""

    index: Index
    held: dict[str, _Held] = field(default_factory=dict)
    rules: Rules | None = None
    masks: dict[str, Mask] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        return sum(each.bytes for each in self.held.values())


class _Part(NamedTuple):
    """A segment of a search: what it has, and which rows no rule kills."""

    segment: Segment
    held: _Held
    mask: Mask


class Warm:
    """The collections in memory, at most `room` bytes, those searched last at the end."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._collections: dict[str, _Collection] = {}
        self._one_at_a_time = threading.Lock()

    @property
    def bytes(self) -> int:
        return sum(each.bytes for each in self._collections.values())

    def search(
        self, places: Places, head: Head, rules: Rules, question: Question, *, at: int
    ) -> Found:
        """Answer as a backend does. Raises ObjectGone, SegmentMismatch or CollectionTooLarge."""
        with self._one_at_a_time:
            parts = self._loaded(places, head, rules)
        among = [_among(part, head, question.person, at) for part in parts]
        measured = question.least >= (head.same_above or 0) and question.person is None
        found = nearest(
            Wanted(question.vectors, question.k, exact=not measured),
            [part.held.block for part in parts],
            [bitmap(each) for each in among],
            threads=threads(),
        )
        hits = tuple(
            tuple(_hit(each, parts) for each in one if each.similarity >= question.least)
            for one in found
        )
        return Found(sum(int(each.sum()) for each in among), hits)

    def forget(self, places: Places, head: Head) -> None:
        """Drop a collection from memory and from disk: it was deleted, or others need its room."""
        with self._one_at_a_time:
            self._collections.pop(head.id, None)
            keep_only(places, head.but(segments=()))

    def release(self) -> None:
        """Drop all collections from memory: another task of this process needs it."""
        with self._one_at_a_time:
            self._collections.clear()

    def _loaded(self, places: Places, head: Head, rules: Rules) -> list[_Part]:
        collection = self._collections.pop(head.id, None) or _Collection(head.index)
        self._collections[head.id] = collection
        if collection.index != head.index:
            collection.index, collection.held = head.index, {}
        wanted = {each.sha256 for each in head.segments}
        superseded = collection.held.keys() - wanted
        for sha256 in superseded:
            del collection.held[sha256]
        self._make_room(places, head)
        new = [each for each in head.segments if each.sha256 not in collection.held]
        if new or superseded:
            keep_only(places, head)
        for segment in new:
            collection.held[segment.sha256] = _hold(read_segment(places, head, segment), head)
        held = [collection.held[each.sha256] for each in head.segments]
        if new or superseded or collection.rules != rules:
            masks = not_ruled_out([each.rows for each in held], rules)
            collection.masks = dict(
                zip((each.sha256 for each in head.segments), masks, strict=True)
            )
            collection.rules = rules
        return [
            _Part(segment, each, collection.masks[segment.sha256])
            for segment, each in zip(head.segments, held, strict=True)
        ]

    def _make_room(self, places: Places, head: Head) -> None:
        """Forget the collections searched longest ago, until this one fits."""
        needed = sum(_bytes(each.rows, head) for each in head.segments)
        if needed > self.room:
            rows = sum(each.rows for each in head.segments)
            raise CollectionTooLarge(
                f"the {rows:,} vectors of {head.name} need {needed / _MB:,.0f} MB; "
                f"the function has {self.room / _MB:,.0f} MB for vectors"
            )
        others = [each for each in self._collections if each != head.id]
        while others and needed + sum(self._collections[each].bytes for each in others) > self.room:
            oldest = others.pop(0)
            del self._collections[oldest]
            keep_only(places, head.but(id=oldest, segments=()))


@lru_cache(maxsize=1)
def warm_of(scratch: Path, memory_mb: int) -> Warm:  # noqa: ARG001 - copies on disk are its own
    """Return what this process has in memory, in a function of this size."""
    return Warm(max(0, memory_mb - OTHER_MB) * _MB)


def _hold(rows: Rows, head: Head) -> _Held:
    block = _block(rows, head)
    # Plain arrays over the same pages: a slice of a `memmap` takes 2 µs, of these a tenth of one
    columns = {name: np.asarray(column) for name, column in rows.arrays()}
    columns["vectors"] = np.zeros((0, 0), np.float16)
    return _Held(block, Rows(rows.collection, **columns), _bytes(len(rows), head))


def _block(rows: Rows, head: Head) -> Block:
    effort = head.index.parameters.get(EFFORT)
    if effort is not None and len(rows) >= LEAST_ROWS:
        match head.index.kind:
            case "ivf":
                return Ivf.of(rows.vectors, effort=effort, threads=threads())
            case "hnsw":
                return Hnsw.of(rows.vectors, effort=effort, threads=threads())
    return Flat.of(rows.vectors)


def _bytes(rows: int, head: Head) -> int:
    """Return the memory of a segment's vectors."""
    count = {"flat": flat_bytes, "ivf": ivf_bytes, "hnsw": hnsw_bytes}[head.index.kind]
    return count(rows, head.dimension or 0)


def _among(part: _Part, head: Head, person: bytes | None, at: int) -> Mask:
    """Return which rows of a segment a search may find."""
    mask = part.mask
    if part.segment.oldest + head.consent.retention_days * DAY <= at:
        mask = mask & ~expired(part.held.rows, head, at)
    return mask if person is None else mask & of_person(part.held.rows, person)


def _hit(found: Neighbour, parts: Sequence[_Part]) -> Hit:
    rows = parts[found.block].held.rows
    return Hit(found.similarity, rows.fact(found.row), int(rows.enrolled_at[found.row]))
