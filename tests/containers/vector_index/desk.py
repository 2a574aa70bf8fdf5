"""Give jobs to the vector index, next to a store with photos and what `faces` made of them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from containers.vector_index.stored.head import Head, read_head
from containers.vector_index.stored.places import Places, now
from containers.vector_index.stored.segments import read_segment
from containers.vector_index.stored.tombstones import expired, read_rules
from containers.vector_index.tasks import TASKS
from pipeline.artifacts import Artifact, ArtifactStore, Location
from pipeline.contracts import collection as contracts
from pipeline.contracts.collection import CollectionJob, Consent
from pipeline.contracts.collection_enrolments import Enrolled, EnrollRecords
from pipeline.contracts.contract import Result
from pipeline.workbench import TaskContext

R = TypeVar("R", bound=Result)

INGEST: Final = "ingest"
OUTPUT: Final = "output"
COLLECTIONS: Final = "collections"
MODEL: Final = "face-api-resnet34"
WEIGHTS: Final = "ab" * 32
DIMENSION: Final = 8
CONSENT: Final = Consent(purpose="Open the door", legal_basis="Consent", retention_days=30)
ASKED: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)


def vector(number: int, dimension: int = DIMENSION) -> npt.NDArray[np.float32]:
    """A unit vector for each number."""
    raw = np.random.default_rng(number).standard_normal(dimension)
    unit: npt.NDArray[np.float32] = (raw / np.linalg.norm(raw)).astype(np.float32)
    return unit


def artifact(location: Location, content: bytes) -> Artifact:
    return Artifact(
        uri=location.uri, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content)
    )


def clock_ahead(by: timedelta) -> SimpleNamespace:
    """Return what stands for the module `time` of the vector index, some time later."""
    ahead = round(by.total_seconds() * 1e9)
    return SimpleNamespace(time_ns=lambda: time.time_ns() + ahead)


@dataclass
class Desk:
    """A store and the vector index. Each job is asked for a minute after the one before."""

    store: ArtifactStore
    context: TaskContext
    clock: datetime = ASKED

    @property
    def places(self) -> Places:
        return Places(
            self.store, COLLECTIONS, "vectors", self.context.settings.scratch / "vector-index"
        )

    def tick(self) -> datetime:
        self.clock += timedelta(minutes=1)
        return self.clock

    def job(self, kind: type[CollectionJob], **fields: Any) -> CollectionJob:
        asked_at = fields.pop("asked_at", None) or self.tick()
        common = {
            "schema": 1,
            "execution": f"arn:aws:states:::execution:collection:e-{asked_at:%H%M%S}",
            "asked_by": "operator",
            "asked_at": asked_at,
            "collections_bucket": COLLECTIONS,
            "vector_bucket": "vectors",
            "action": kind.model_fields["action"].annotation.__args__[0],  # type: ignore[union-attr]
        }
        return kind.model_validate(common | fields)

    def run(self, job: CollectionJob, result: type[R]) -> R:
        made = TASKS[type(job)](job, self.context)
        assert isinstance(made, result)
        return made

    def create(self, collection: str = "staff", **fields: Any) -> contracts.CollectionCreated:
        asked = {"collection": collection, "consent": CONSENT, "model": MODEL} | fields
        return self.run(self.job(contracts.CreateCollection, **asked), contracts.CollectionCreated)

    def enroll(self, *records: str, collection: str = "staff", **fields: Any) -> Enrolled:
        asked = {"collection": collection, "records": records, "output_bucket": OUTPUT} | fields
        return self.run(self.job(EnrollRecords, **asked), Enrolled)

    def forget(self, collection: str = "staff", **fields: Any) -> contracts.Forgotten:
        asked = {"collection": collection, "ingest_bucket": INGEST} | fields
        return self.run(self.job(contracts.ForgetSubject, **asked), contracts.Forgotten)

    def forget_source(self, key: str, **fields: Any) -> contracts.SourceForgotten:
        job = self.job(contracts.ForgetSource, bucket=INGEST, key=key, **fields)
        return self.run(job, contracts.SourceForgotten)

    def compact(
        self, collection: str = "staff", *, force: bool = False, **fields: Any
    ) -> contracts.Compacted:
        asked = {"collection": collection, "force": force} | fields
        return self.run(self.job(contracts.CompactCollection, **asked), contracts.Compacted)

    def describe(
        self, collection: str | None = "staff", **fields: Any
    ) -> tuple[contracts.Collection, ...]:
        job = self.job(contracts.DescribeCollections, collection=collection, **fields)
        return self.run(job, contracts.CollectionsDescribed).collections

    def delete(self, collection: str = "staff", **fields: Any) -> contracts.CollectionDeleted:
        job = self.job(contracts.DeleteCollection, collection=collection, **fields)
        return self.run(job, contracts.CollectionDeleted)

    def photo(self, key: str, content: bytes | None = None) -> Location:
        location = Location(INGEST, key)
        self.store.write(location, content or key.encode(), media_type="image/jpeg")
        return location

    def record(  # noqa: PLR0913 - what a test changes
        self,
        key: str,
        vectors: Sequence[npt.NDArray[Any]] = (),
        *,
        model: str = MODEL,
        weights: str = WEIGHTS,
        document: Mapping[str, Any] | None = None,
        record: Mapping[str, Any] | None = None,
    ) -> str:
        """Write a photo and the record of its faces; return the record's key."""
        photo = self.photo(key)
        stat, content = self.store.stat(photo), self.store.read(photo)
        stem = key.rpartition(".")[0]
        found = np.stack(vectors) if vectors else np.zeros((0, DIMENSION), np.float32)
        said: dict[str, Any] = {
            "schema_version": 1,
            "dimension": found.shape[1],
            "same_above": 0.5,
            "model": model,
            "weights_sha256": weights,
            "faces": [_face(row) for row in range(len(found))],
        } | dict(document or {})
        files = [
            self.file(stem, "embeddings", "safetensors", _tensors(found)),
            self.file(stem, "embedded", "json", json.dumps(said).encode()),
        ]
        whole: dict[str, Any] = {
            "schema": 1,
            "product": "faces",
            "job_id": f"job-of-{key}",
            "source": {
                "bucket": INGEST,
                "key": key,
                "version_id": stat.version_id,
                "etag": stat.etag,
                "sha256": hashlib.sha256(content).hexdigest(),
                "bytes": stat.bytes,
                "media_type": "image/jpeg",
                "width": 640,
                "height": 480,
            },
            "files": files,
        } | dict(record or {})
        place = Location(OUTPUT, f"{stem}_faces.record.json")
        self.store.write(place, json.dumps(whole).encode(), media_type="application/json")
        return place.key

    def file(self, stem: str, kind: str, extension: str, content: bytes) -> dict[str, Any]:
        place = Location(OUTPUT, f"{stem}_faces.embeddings.{extension}")
        made = self.store.write(place, content, media_type="")
        return {"kind": kind, "media_type": "application/json", **made.model_dump()}

    def head(self, collection: str = "staff") -> Head:
        return read_head(self.places, collection).head

    def alive(self, collection: str = "staff") -> list[tuple[str, int, str | None]]:
        """Key, subject and person of every row that a search would compare with."""
        head = self.head(collection)
        rules = read_rules(self.places, head)
        found = []
        for segment in head.segments:
            rows = read_segment(self.places, head, segment)
            dead = rules.dead(rows) | expired(rows, head, now())
            facts = [rows.fact(row) for row in range(len(rows)) if not dead[row]]
            found += [(fact.key, fact.subject, fact.person) for fact in facts]
        return sorted(found, key=str)

    def objects(self, prefix: str = "") -> list[str]:
        return [each.location.key for each in self.store.listing(Location(COLLECTIONS, prefix))]


def _tensors(found: npt.NDArray[Any]) -> bytes:
    content: bytes = save({"embeddings": found}, metadata={"source": "00"})
    return content


def _face(row: int) -> dict[str, Any]:
    box = {"x": 10.0 * row, "y": 20.0, "width": 100.0, "height": 110.0}
    return {
        "face": row,
        "detection": {"box": box, "score": 0.99},
        "row": row,
        "rejected": None,
    }
