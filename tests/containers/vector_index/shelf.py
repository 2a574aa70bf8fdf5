"""A collection that tests fill segment by segment, and search as a job does."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from containers.vector_index.searching.searching import search_vectors
from containers.vector_index.stored.digests import object_digest, person_digest
from containers.vector_index.stored.head import Head, Index, change_head, create_head, read_head
from containers.vector_index.stored.places import Places, now
from containers.vector_index.stored.rows import Fact, Kind, NewRow, Rows
from containers.vector_index.stored.segments import write_segment
from containers.vector_index.stored.tombstones import Rule, Rules, write_rules
from pipeline.artifacts import LocalStore, Location
from pipeline.contracts.collection import Consent, IndexKind
from pipeline.contracts.collection_searches import Match, Searched, SearchVectors
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT

WEIGHTS: Final = "ab" * 32
DAY: Final = 86_400_000


@dataclass
class Shelf:
    """One collection, of vectors of one model, in a folder."""

    store: LocalStore
    scratch: Path
    dimension: int = 128
    name: str = "staff"
    memory_mb: int = 2048
    context: TaskContext = field(init=False)
    numbers: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin again as a new process would, with what is on disk."""
        settings = Settings(scratch=self.scratch, memory_mb=self.memory_mb)
        self.context = TaskContext(Workbench(root=ROOT, settings=settings, store=self.store))

    @property
    def places(self) -> Places:
        scratch = self.scratch / "vector-index"
        return Places(self.store, "collections", "vectors", scratch, memory_mb=self.memory_mb)

    @property
    def head(self) -> Head:
        return read_head(self.places, self.name).head

    def create(self, *, index: IndexKind = "flat", retention_days: int = 365) -> Shelf:
        consent = Consent(purpose="tests", legal_basis="consent", retention_days=retention_days)
        head = Head(
            name=self.name,
            id=f"{next(self.numbers):032x}",
            consent=consent,
            model="facenet",
            weights_sha256=WEIGHTS,
            dimension=self.dimension,
            same_above=0.6,
            backend="segments",
            index=Index(kind=index),
            erase_within_days=7,
            created_at=now(),
            changed_at=now(),
        )
        assert create_head(self.places, head)
        return self

    def rows(
        self,
        vectors: npt.NDArray[np.float32],
        *,
        people: Sequence[str | None] | None = None,
        keys: Sequence[str] | None = None,
        enrolled_at: int | None = None,
    ) -> Rows:
        at = now() if enrolled_at is None else enrolled_at
        people = people or [None] * len(vectors)
        keys = keys or [f"{next(self.numbers)}.jpg" for _ in vectors]
        facts = [
            Fact(
                person=person,
                bucket="ingest",
                key=key,
                version_id=None,
                sha256="cd" * 32,
                subject=0,
                box=None,
                score=0.9,
            )
            for key, person in zip(keys, people, strict=True)
        ]
        new = [NewRow(fact=fact, enrolled_at=at, asked_at=at) for fact in facts]
        return Rows.made(self.head.id, WEIGHTS, vectors, new)

    def enroll(self, vectors: npt.NDArray[np.float32], **said: Any) -> Shelf:
        """Publish a segment of its own for these vectors."""
        segment = write_segment(self.places, self.head, self.rows(vectors, **said))
        return self.publish(lambda head: head.but(segments=(*head.segments, segment)))

    def publish(self, change: Any) -> Shelf:
        change_head(self.places, self.name, change)
        return self

    def forget(self, kind: Kind, digest: bytes) -> Shelf:
        rules = Rules.of([Rule(kind=kind, digest=digest.hex(), at=now())])
        written = write_rules(self.places, self.head, rules)
        return self.publish(lambda head: head.but(tombstones=(*head.tombstones, written)))

    def forget_person(self, person: str) -> Shelf:
        return self.forget("person", person_digest(self.head.id, person))

    def forget_key(self, key: str) -> Shelf:
        return self.forget("object", object_digest("ingest", key))

    def job(self, vectors: npt.NDArray[np.float32], **options: Any) -> SearchVectors:
        content = save({"embeddings": np.ascontiguousarray(vectors)})
        place = Location("work", f"vectors/query-{next(self.numbers)}")
        file = self.store.write(place, content, media_type="")
        query = {
            "vectors": file,
            "model": "facenet",
            "weights_sha256": WEIGHTS,
            "same_above": 0.6,
        }
        said = {
            "schema": 1,
            "action": "search",
            "execution": "arn:aws:states:eu-west-1:123456789012:execution:collection:one",
            "asked_by": "operator",
            "asked_at": datetime.now(UTC),
            "collections_bucket": "collections",
            "vector_bucket": "vectors",
            "output_bucket": "output",
            "query": query,
            "scope": "collection",
            "collection": self.name,
        }
        return SearchVectors.model_validate(said | options)

    def search(self, vectors: npt.NDArray[np.float32], **options: Any) -> Searched:
        return search_vectors(self.job(vectors, **options), self.context)

    def found(self, vector: npt.NDArray[np.float32], **options: Any) -> list[Match]:
        (query,) = self.search(vector[None], **options).queries
        return list(query.matches)

    def keys(self, vector: npt.NDArray[np.float32], **options: Any) -> list[str]:
        return [each.key for each in self.found(vector, **options)]
