"""Add vectors to a collection: each once, and none that was forgotten since it was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import numpy as np

from containers.vector_index.backends.backend import Backend
from containers.vector_index.backends.choosing import backend_of
from containers.vector_index.burying import bury
from containers.vector_index.enrolling.records import Photo, is_current
from containers.vector_index.stored.digests import object_digest, photo_digest
from containers.vector_index.stored.head import Head, change_head, read_head, with_head
from containers.vector_index.stored.places import Places, milliseconds, now
from containers.vector_index.stored.rows import Fact, Mask, NewRow, Rows, Vectors, as_keys
from containers.vector_index.stored.tombstones import DAY, Rule, Rules, read_rules
from pipeline.contracts.collection_enrolments import EnrollRecords, EnrollVectors
from pipeline.errors import (
    CollectionBusy,
    CollectionMissing,
    EmbeddingMismatch,
    InvalidOptions,
    PermanentError,
)

AT_ONCE: Final = 8  # requests to S3, which wait more than they compute
_MOST_DAYS: Final = 15  # rules are kept for a day longer


class Origin(NamedTuple):
    """What made vectors: a model, and from which similarity it calls two of them the same."""

    model: str
    weights_sha256: str
    dimension: int
    same_above: float


class Batch(NamedTuple):
    """Vectors of one origin (n × dimension, of length 1), and what each stands for."""

    origin: Origin
    vectors: Vectors
    facts: Sequence[Fact]

    @property
    def photos(self) -> list[Photo]:
        """Return what each vector was made of."""
        return [Photo(each.bucket, each.key, each.version_id, each.sha256) for each in self.facts]


class Added(NamedTuple):
    """The published head, and what became of each vector: the rest was forgotten before.

    `gone` are those whose photo was deleted or replaced meanwhile: they are forgotten again.
    """

    head: Head
    enrolled: Mask
    known: Mask
    gone: Mask


def require_timely(job: EnrollRecords | EnrollVectors, head: Head) -> None:
    """Raise InvalidOptions if a job is so old that rules against it may be missing.

    Raises CollectionMissing if its collection was deleted since, and created again.
    """
    asked_at = milliseconds(job.asked_at)
    if asked_at < now() - _MOST_DAYS * DAY:
        raise InvalidOptions(
            f"asked for on {job.asked_at:%Y-%m-%d}, more than {_MOST_DAYS} days ago: somebody may "
            "have been forgotten since; start it again"
        )
    if asked_at < head.created_at:
        raise CollectionMissing(f"{head.name} was created after this enrolment was asked for")


def require_origin(head: Head, origin: Origin) -> None:
    """Raise EmbeddingMismatch if a collection cannot have vectors of this origin."""
    if head.model != origin.model:
        raise EmbeddingMismatch(f"{head.name} has vectors of {head.model}, not of {origin.model}")
    if head.weights_sha256 is not None and head.weights_sha256 != origin.weights_sha256:
        raise EmbeddingMismatch(f"{head.name} has vectors of other weights of {head.model}")
    if head.dimension is not None and head.dimension != origin.dimension:
        raise EmbeddingMismatch(
            f"{head.name} has vectors of {head.dimension} dimensions, not of {origin.dimension}"
        )


def add(places: Places, job: EnrollRecords | EnrollVectors, batch: Batch) -> Added:
    """Publish a head with those of at least one vector that are new; check the photos again.

    Raises EmbeddingMismatch, InvalidOptions, CollectionMissing, CollectionBusy or SegmentMismatch.
    """
    name = job.collection
    read_head(places, name)
    _write_pointers(places, name, batch.facts)
    addition = _Addition(places, job, batch)
    try:
        head = change_head(places, name, addition.change)
    except PermanentError:
        addition.discard(None)
        raise
    except CollectionBusy:
        # S3 may accept a head whose writer never learns of it
        addition.discard(read_head(places, name).head)
        raise
    addition.discard(head)
    gone = _forget_gone(places, job, batch, addition.enrolled)
    return Added(head, addition.enrolled, addition.known, gone)


class _Addition:
    """A change of a head, computed again for each newer one."""

    def __init__(self, places: Places, job: EnrollRecords | EnrollVectors, batch: Batch) -> None:
        self._places = places
        self._job = job
        self._batch = batch
        self._backends: dict[str, Backend] = {}  # two, if the collection moves meanwhile
        self._own = np.zeros(len(batch.facts), np.bool_)  # what the backend has because of us
        self._now = now()
        self.enrolled = self._own
        self.known = self._own

    def change(self, head: Head) -> Head:
        require_timely(self._job, head)
        require_origin(head, self._batch.origin)
        before = head
        _, weights_sha256, dimension, same_above = self._batch.origin
        if head.weights_sha256 is None:
            head = head.but(
                weights_sha256=weights_sha256, dimension=dimension, same_above=same_above
            )
        rows = self._rows(head)
        rules = read_rules(self._places, head)
        forgotten = rules.dead(rows)
        _, first = np.unique(as_keys(rows.ids), return_index=True)
        repeated = ~np.isin(np.arange(len(rows)), first)
        backend = self._backends.setdefault(head.backend, backend_of(head, self._places))
        known = backend.known(head, rules, rows, at=self._now) & ~self._own
        self.known = (known | repeated) & ~forgotten
        self.enrolled = ~(self.known | forgotten)
        if not (self.enrolled | self._own).any():
            return before
        self._own |= self.enrolled
        return backend.add(head, rows.take(self.enrolled))

    def discard(self, head: Head | None) -> None:
        for backend in self._backends.values():
            backend.discard(head)

    def _rows(self, head: Head) -> Rows:
        asked_at = milliseconds(self._job.asked_at)
        rows = [
            NewRow(fact=fact, enrolled_at=self._now, asked_at=asked_at)
            for fact in self._batch.facts
        ]
        return Rows.made(head.id, self._batch.origin.weights_sha256, self._batch.vectors, rows)


def _write_pointers(places: Places, name: str, facts: Sequence[Fact]) -> None:
    """Let each object point to the collection, before the collection has something of it."""
    things = {object_digest(fact.bucket, fact.key) for fact in facts}

    def point(thing: bytes) -> None:
        places.store.write(places.pointer(thing, name), b"", media_type="text/plain")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(point, sorted(things)))


def forget_photos(
    places: Places, job: EnrollRecords | EnrollVectors, photos: Iterable[Photo]
) -> None:
    """Forget what a collection has of photos that are gone, asked for until now by this job."""
    at = milliseconds(job.asked_at)
    rules = Rules.of(
        Rule(
            kind="photo",
            digest=photo_digest(photo.bucket, photo.key, photo.version_id).hex(),
            at=at,
        )
        for photo in photos
    )

    def killing(head: Head) -> tuple[Rules, int]:
        found, count, others = Rules(), 0, read_rules(places, head)
        for rows in backend_of(head, places).rows(head, vectors=False):
            found = found.and_(rules.killing(rows).each())
            count += int((rules.dead(rows) & ~others.dead(rows)).sum())
        return found, count

    if not rules:
        return
    needed, killed = with_head(places, job.collection, killing)
    if killed:
        bury(places, job.collection, list(needed.each()), killed=killed)


def _forget_gone(
    places: Places, job: EnrollRecords | EnrollVectors, batch: Batch, enrolled: Mask
) -> Mask:
    """Forget vectors whose photo was deleted while they were enrolled; return which."""
    photos = [photo for photo, new in zip(batch.photos, enrolled, strict=True) if new]
    wanted = sorted(set(photos), key=str)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        there = list(pool.map(lambda photo: is_current(places.store, photo), wanted))
    gone = {photo for photo, is_there in zip(wanted, there, strict=True) if not is_there}
    if gone:
        forget_photos(places, job, gone)
    return np.array([photo in gone for photo in batch.photos]) & enrolled
