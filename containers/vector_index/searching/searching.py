"""SearchVectors: find what is most like a query, write down that it was asked, then answer."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from containers.vector_index.backends.backend import Found, Hit, Question
from containers.vector_index.backends.choosing import backend_of
from containers.vector_index.comparing.arrays import clamped
from containers.vector_index.enrolling.records import Embedded, FaceRow
from containers.vector_index.searching.asked import Asked, read_among, read_asked
from containers.vector_index.searching.auditing import write_search
from containers.vector_index.searching.latest import latest_of
from containers.vector_index.stored.digests import person_digest
from containers.vector_index.stored.head import Head
from containers.vector_index.stored.places import Places, moment_of, now
from containers.vector_index.stored.tombstones import Rules
from pipeline.contracts.collection_searches import Match, Query, Search, Searched, SearchVectors
from pipeline.errors import InvalidOptions
from pipeline.workbench import TaskContext

_ID_BYTES: Final = 8


@dataclass(frozen=True)
class _Answer:
    threshold: float
    searched: int
    matches: Sequence[tuple[Match, ...]]


def search_vectors(job: SearchVectors, context: TaskContext) -> Searched:
    """Return the matches of each query, after the search's audit record is stored.

    Raises InvalidOptions, SourceMissing, CollectionMissing, EmbeddingMismatch, CollectionTooLarge
    or SegmentMismatch.
    """
    with context.timed("read"):
        asked = read_asked(job, context.store)
    with context.timed("compare"):
        if job.collection is None:
            answer = _among_records(job, asked, context)
        else:
            answer = _in_collection(job, job.collection, asked, context)
    with context.timed("record"):
        search = _written_down(job, Places.of(job, context), answer)
    return Searched(
        collection=job.collection,
        threshold=answer.threshold,
        queries=tuple(
            Query(subject=subject, box=box, matches=matches)
            for (subject, box), matches in zip(asked.subjects, answer.matches, strict=True)
        ),
        searched=answer.searched,
        search=search,
    )


def _in_collection(job: SearchVectors, name: str, asked: Asked, context: TaskContext) -> _Answer:
    places = Places.of(job, context)

    def answered(head: Head, rules: Rules) -> _Answer:
        own = asked.same_above if head.same_above is None else head.same_above
        least = own if job.threshold is None else job.threshold
        if job.searcher is not None and least < own:
            raise InvalidOptions(f"threshold: who may only search is answered from {own:g} on")
        if head.weights_sha256 is None or head.dimension is None:
            return _Answer(least, 0, [()] * len(asked.vectors))
        asked.require(head.weights_sha256, head.dimension, f"the collection {name}")
        person = None if job.person is None else person_digest(head.id, job.person)
        question = Question(asked.vectors, job.k, person=person, least=least)
        found = backend_of(head, places).search(head, rules, question, at=now())
        return _of_found(found, least)

    return latest_of(context.bench).ask(places, name, answered, searcher=job.searcher)


def _of_found(found: Found, least: float) -> _Answer:
    matches = [tuple(_match(hit) for hit in hits if hit.similarity >= least) for hits in found.hits]
    return _Answer(least, found.searched, matches)


def _match(hit: Hit) -> Match:
    fact = hit.fact
    return Match(
        similarity=hit.similarity,
        person=fact.person,
        bucket=fact.bucket,
        key=fact.key,
        version_id=fact.version_id,
        subject=fact.subject,
        box=fact.place,
        enrolled_at=moment_of(hit.enrolled_at),
    )


def _among_records(job: SearchVectors, asked: Asked, context: TaskContext) -> _Answer:
    if job.person is not None:
        raise InvalidOptions("person: records name no person; only collections do")
    least = asked.same_above if job.threshold is None else job.threshold
    records = read_among(job, context.store)
    for record in records:
        asked.require(record.document.weights_sha256, record.document.dimension, record.record)
    faces = [(record, face) for record in records for face in record.faces()]
    stored = [np.zeros((0, asked.vectors.shape[1]), np.float32)]
    stored += [record.vectors[[face.row for face in record.faces()]] for record in records]
    similar = clamped(asked.vectors @ np.concatenate(stored).T)
    nearest = np.argsort(-similar, axis=1, kind="stable")[:, : job.k]
    matches = [
        tuple(
            _record_match(faces[at][0], faces[at][1], float(row[at]))
            for at in order
            if row[at] >= least
        )
        for row, order in zip(similar, nearest, strict=True)
    ]
    return _Answer(least, len(faces), matches)


def _record_match(record: Embedded, face: FaceRow, similarity: float) -> Match:
    photo = record.photo
    return Match(
        similarity=similarity,
        person=None,
        bucket=photo.bucket,
        key=photo.key,
        version_id=photo.version_id,
        subject=face.subject,
        box=face.face.detection.box,
        enrolled_at=None,
    )


def _written_down(job: SearchVectors, places: Places, answer: _Answer) -> str:
    """Store the audit record of a search; return its id."""
    record = Search(
        search=secrets.token_hex(_ID_BYTES),
        at=moment_of(now()),
        asked_by=job.asked_by,
        execution=job.execution,
        collection=job.collection,
        scope=job.scope,
        threshold=answer.threshold,
        k=job.k,
        queries=len(answer.matches),
        matches=sum(map(len, answer.matches)),
        person_filter=job.person is not None,
    )
    write_search(places, record)
    return record.search
