"""Where the objects of collections are, by kind first: each kind has its own lifecycle."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from pipeline.artifacts import ArtifactStore, Location
from pipeline.aws.s3_vectors import S3Vectors
from pipeline.contracts.collection import CollectionJob
from pipeline.declared.declaration import MOST_MEMORY_MB
from pipeline.workbench import TaskContext, Workbench

COLLECTIONS: Final = "collections/"
_HEAD: Final = "/head.json"


@dataclass(frozen=True)
class Places:
    """The collections bucket, the vector bucket, and the folder for copies of segments.

    The function has `memory_mb`.
    """

    store: ArtifactStore
    bucket: str
    vector_bucket: str
    scratch: Path
    vectors: Callable[[], S3Vectors] = S3Vectors.connect
    memory_mb: int = MOST_MEMORY_MB

    @classmethod
    def of(cls, job: CollectionJob, context: TaskContext) -> Places:
        scratch = context.settings.scratch / "vector-index"
        return cls(
            context.store,
            job.collections_bucket,
            job.vector_bucket,
            scratch,
            partial(context.bench.once, _connected),
            context.settings.memory_mb,
        )

    def head(self, name: str) -> Location:
        return self._at(f"{COLLECTIONS}{name}{_HEAD}")

    def collection(self, name: str) -> Location:
        """Return the prefix of all objects of a collection: its head, segments and tombstones."""
        return self._at(f"{COLLECTIONS}{name}/")

    def collections(self) -> Location:
        return self._at(COLLECTIONS)

    def segment(self, name: str, sha256: str) -> Location:
        return self._at(f"{COLLECTIONS}{name}/segments/{sha256}.safetensors")

    def tombstones(self, name: str, sha256: str) -> Location:
        return self._at(f"{COLLECTIONS}{name}/tombstones/{sha256}.json")

    def all_pointers(self) -> Location:
        return self._at("photos/")

    def pointers(self, thing: bytes) -> Location:
        """Return the prefix of the pointers from an object (its digest) to collections."""
        return self._at(f"photos/{thing.hex()}/")

    def pointer(self, thing: bytes, name: str) -> Location:
        return self._at(f"photos/{thing.hex()}/{name}")

    def searches(self, name: str | None, day: str = "") -> Location:
        """Return the prefix of a collection's audit records, or of those of the scope `job`."""
        return self._at(f"searches/{name or '_job'}/{day}")

    def receipt(self, name: str, execution: str, kind: str = "") -> Location:
        suffix = f"-{kind}" if kind else ""
        return self._at(f"receipts/{name}/{execution_name(execution)}{suffix}.json")

    def export(self, name: str, execution: str, file: str) -> Location:
        return self._at(f"exports/{name}/{execution_name(execution)}/{file}")

    def exports(self, name: str) -> Location:
        return self._at(f"exports/{name}/")

    def _at(self, key: str) -> Location:
        return Location(self.bucket, key)


def _connected(_: Workbench) -> S3Vectors:
    return S3Vectors.connect()


def name_of_head(key: str) -> str | None:
    """Return the collection whose head this key is; None for any other key."""
    middle = key.removeprefix(COLLECTIONS).removesuffix(_HEAD)
    return middle if key == f"{COLLECTIONS}{middle}{_HEAD}" and "/" not in middle else None


def execution_name(execution: str) -> str:
    """Return the last part of an execution's ARN, as part of a key."""
    return execution.rpartition(":")[2].replace("/", "-")


def milliseconds(moment: datetime) -> int:
    """Return ms since 1970. A moment without a time zone is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


def moment_of(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def now() -> int:
    """Return the time in ms since 1970."""
    return time.time_ns() // 1_000_000
