"""A collection on moto's server, and whoever asks for things to be done with it."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import boto3
import numpy as np
from safetensors.numpy import save

from containers.vector_index.stored import places
from containers.vector_index.stored.head import Head, read_head
from containers.vector_index.stored.places import Places
from containers.vector_index.stored.rows import Vectors
from containers.vector_index.tasks import TASKS
from pipeline.artifacts import Location
from pipeline.aws.s3 import S3Store
from pipeline.contracts.collection import (
    Backend,
    Collection,
    CollectionsDescribed,
    Compacted,
    Consent,
    Exported,
    Forgotten,
    IndexKind,
    Moved,
)
from pipeline.contracts.collection_enrolments import Enrolled, Entry, VectorsFile
from pipeline.contracts.collection_searches import Searched
from pipeline.contracts.contract import Job
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT

MODEL: Final = "eyes"
WEIGHTS: Final = hashlib.sha256(b"weights").hexdigest()
SAME: Final = 0.6
_NUMBERS: Final = itertools.count()


class Sitter(NamedTuple):
    """A face of a photo: its vector, the photo's key, and who it is."""

    vector: Vectors
    key: str
    person: str | None = None


@dataclass
class Desk:
    """Jobs about one collection, in buckets of its own."""

    root: Path
    backend: Backend = "segments"
    name: str = "staff"
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    weights: str = WEIGHTS
    ends_at: float = float("inf")

    def __post_init__(self) -> None:
        self.s3: Any = client("s3", os.environ["AWS_ENDPOINT_URL"])
        self.vectors: Any = client("s3vectors", os.environ["AWS_ENDPOINT_URL"])
        for bucket in ("photos", "work", "collections"):
            self.s3.create_bucket(Bucket=self.bucket(bucket))
            self.s3.put_bucket_versioning(
                Bucket=self.bucket(bucket), VersioningConfiguration={"Status": "Enabled"}
            )
        self.vectors.create_vector_bucket(vectorBucketName=self.bucket("vectors"))
        self.store = S3Store(self.s3)
        settings = Settings(scratch=self.root / self.id)
        self.bench = Workbench(root=ROOT, settings=settings, store=self.store)

    def bucket(self, name: str) -> str:
        return f"{name}-{self.id}"

    def do(self, action: str, kind: str, **parameters: Any) -> Any:
        """Do a job of this type, and return its result."""
        (job_type,) = (each for each in TASKS if each.__name__ == kind)
        said = {
            "schema": 1,
            "action": action,
            "execution": f"arn:aws:states:::execution:collection:{next(_NUMBERS)}",
            "asked_by": "operator",
            "asked_at": places.moment_of(places.now()),
            "collections_bucket": self.bucket("collections"),
            "vector_bucket": self.bucket("vectors"),
            **parameters,
        }
        job: Job = job_type.model_validate(said)
        return TASKS[job_type](job, TaskContext(self.bench, ends_at=self.ends_at))

    def create(self, *, retention_days: int = 365, index: IndexKind = "flat") -> None:
        consent = Consent(purpose="doors", legal_basis="consent", retention_days=retention_days)
        self.do(
            "create", "CreateCollection", collection=self.name, consent=consent, model=MODEL,
            backend=self.backend, index=index,
        )  # fmt: skip

    def enroll(self, sitters: Sequence[Sitter], **parameters: Any) -> Enrolled:
        entries = [self._entry(row, each) for row, each in enumerate(sitters)]
        result: Enrolled = self.do(
            "enroll", "EnrollVectors", collection=self.name, entries=entries,
            file=self.file([each.vector for each in sitters]), **parameters,
        )  # fmt: skip
        return result

    def search(self, vectors: Any, **parameters: Any) -> Searched:
        result: Searched = self.do(
            "search", "SearchVectors", collection=self.name, scope="collection",
            query=self.file(vectors), output_bucket=self.bucket("work"), **parameters,
        )  # fmt: skip
        return result

    def found(self, vector: Any, **parameters: Any) -> list[str]:
        """Return the keys of what is found for one vector, the most similar first."""
        (query,) = self.search([vector], **({"threshold": -1.0, "k": 100} | parameters)).queries
        return [each.key for each in query.matches]

    def forget(self, **whom: Any) -> Forgotten:
        result: Forgotten = self.do(
            "forget", "ForgetSubject", collection=self.name,
            ingest_bucket=self.bucket("photos"), **whom,
        )  # fmt: skip
        return result

    def compact(self, *, force: bool = False) -> Compacted:
        result: Compacted = self.do(
            "compact", "CompactCollection", collection=self.name, force=force
        )
        return result

    def export(self, person: str) -> Exported:
        result: Exported = self.do("export", "ExportPerson", collection=self.name, person=person)
        return result

    def move(self, to: Backend = "s3-vectors", **parameters: Any) -> Moved:
        result: Moved = self.do("move", "MoveCollection", collection=self.name, to=to, **parameters)
        return result

    def delete(self) -> Any:
        return self.do("delete", "DeleteCollection", collection=self.name)

    def describe(self) -> Collection:
        result: CollectionsDescribed = self.do(
            "describe", "DescribeCollections", collection=self.name
        )
        return result.collections[0]

    @property
    def places(self) -> Places:
        return Places(
            self.store, self.bucket("collections"), self.bucket("vectors"), self.root / "desk"
        )

    @property
    def head(self) -> Head:
        return read_head(self.places, self.name).head

    def file(self, vectors: Any) -> VectorsFile:
        content = save({"embeddings": np.array(vectors, np.float32)})
        place = Location(self.bucket("work"), f"vectors/{next(_NUMBERS)}.safetensors")
        made = self.store.write(place, content, media_type="application/octet-stream")
        return VectorsFile(vectors=made, model=MODEL, weights_sha256=self.weights, same_above=SAME)

    def stored_keys(self) -> dict[str, dict[str, Any]]:
        """Return the metadata of all vectors in S3 Vectors, of any collection, by their keys."""
        bucket = self.bucket("vectors")
        pages = self.vectors.get_paginator("list_vectors")
        return {
            each["key"]: each["metadata"]
            for index in self.vectors.list_indexes(vectorBucketName=bucket)["indexes"]
            for page in pages.paginate(
                vectorBucketName=bucket, indexName=index["indexName"], returnMetadata=True
            )
            for each in page["vectors"]
        }

    def stored_photos(self) -> list[str]:
        """Return the photos of all vectors in S3 Vectors."""
        return [json.loads(each["fact"])["key"] for each in self.stored_keys().values()]

    def objects(self, prefix: str) -> list[str]:
        """Return the keys of all versions below a prefix of the collections bucket."""
        pages = self.s3.get_paginator("list_object_versions")
        return [
            row["Key"]
            for page in pages.paginate(Bucket=self.bucket("collections"), Prefix=prefix)
            for kind in ("Versions", "DeleteMarkers")
            for row in page.get(kind, ())
        ]

    def _entry(self, row: int, sitter: Sitter) -> Entry:
        content = sitter.key.encode()
        sha256 = hashlib.sha256(content).hexdigest()
        bucket = self.bucket("photos")
        try:
            latest = self.s3.head_object(Bucket=bucket, Key=sitter.key)
        except self.s3.exceptions.ClientError:
            latest = self.s3.put_object(Bucket=bucket, Key=sitter.key, Body=content)
        return Entry(
            row=row, bucket=bucket, key=sitter.key, version_id=latest["VersionId"],
            sha256=sha256, subject=0, person=sitter.person,
        )  # fmt: skip


@functools.cache
def client(service: str, endpoint: str) -> Any:
    """Return the one client of a service: to make one takes half a second."""
    return boto3.client(service, endpoint_url=endpoint)
