"""Stand for the vector index and its state machine: what they are asked, and what they answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from containers.http_api.principal import identify
from pipeline.contracts.collection import (
    Collection,
    CollectionsDescribed,
    Consent,
    DescribeCollections,
)
from pipeline.contracts.collection_searches import (
    Match,
    Query,
    Search,
    Searched,
    SearchesListed,
    SearchVectors,
)
from pipeline.contracts.faces import Box
from pipeline.declared.names import Names
from pipeline.errors import CollectionMissing
from pipeline.operations.executions import Execution
from tests.containers.http_api.finished import ADA, NAMES, OUTPUT, Finished

CAROL: Final = {"lambda": {"principal": "carol", "scopes": "matteline/operator"}}
MODULE: Final = "pipeline.operations.collections"
NOON: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)
BOX: Final = Box(x=1, y=2, width=3, height=4)
CONSENT: Final = Consent(purpose="find staff", legal_basis="consent", retention_days=30)
STAFF: Final = Collection(
    name="staff", consent=CONSENT, model="facenet", weights_sha256=None, dimension=None,
    same_above=None, backend="segments", index="flat", allowed=(identify(ADA).name,),
    erase_within_days=7, created_at=NOON, changed_at=NOON, vectors=3, forgotten=1, segments=1,
    bytes=4096,
)  # fmt: skip
RECORD: Final = Search(
    search="s1", at=NOON, asked_by=identify(ADA).name, execution="asked-1", collection="staff",
    scope="collection", threshold=0.5, k=20, queries=1, matches=2, person_filter=False,
)  # fmt: skip
FOUND: Final = Query(
    subject=0,
    box=BOX,
    matches=(
        Match(
            similarity=0.9, person="employee-7", bucket="in", key="team/anna.jpg", version_id="v",
            subject=2, box=BOX, enrolled_at=NOON,
        ),
    ),
)  # fmt: skip
SEARCHED: Final = Searched(
    collection="staff", threshold=0.5, queries=(FOUND,), searched=3, search="s1"
)


@dataclass
class Index:
    """`collections` are what there is; `failures` are raised by jobs of an action.

    `executions` are the machine's. They are found after they were asked for `unknown` times.
    """

    collections: dict[str, Collection] = field(default_factory=lambda: {"staff": STAFF})
    asked: list[Any] = field(default_factory=list)
    started: dict[str, Any] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)
    unknown: int = 0
    searched: Searched = SEARCHED

    def invoke(self, _site: Any, container: str, job: Any) -> bytes:
        assert container == "vector-index"
        self.asked.append(job)
        if failure := self.failures.get(job.action):
            raise failure
        match job:
            case (
                DescribeCollections(collection=str(name)) | SearchVectors(collection=str(name))
            ) if not self._may(job.searcher, name):
                raise CollectionMissing(f"no head of {name}, or not for all")
            case DescribeCollections(collection=name):
                names = [name] if name else self.collections
                found = [self.collections[one] for one in names if self._may(job.searcher, one)]
                answer: Any = CollectionsDescribed(collections=tuple(found))
            case SearchVectors():
                answer = self.searched
            case _:
                answer = SearchesListed(searches=(RECORD,))
        return str(answer.model_dump_json(by_alias=True)).encode()

    def _may(self, searcher: str | None, name: str) -> bool:
        found = self.collections.get(name)
        return found is not None and (searcher is None or searcher in found.allowed)

    def start(self, _site: Any, machine: str, name: str, given: Any) -> None:
        assert machine == "collection"
        self.started[name] = given
        self.executions[name] = execution(name, given)

    def find(self, _site: Any, arn: str) -> Execution | None:
        if self.unknown:
            self.unknown -= 1
            return None
        return self.executions.get(arn.rpartition(":")[2])

    @property
    def searches(self) -> list[SearchVectors]:
        return [job for job in self.asked if isinstance(job, SearchVectors)]


def execution(name: str, given: Any, **more: Any) -> Execution:
    told: dict[str, Any] = {
        "status": "RUNNING", "output": {}, "error": None, "cause": None, **more
    }  # fmt: skip
    arn = NAMES.execution_arn("collection", name)
    return Execution(arn=arn, input=given, started=datetime.now(UTC), **told)


def stand_in(monkeypatch: pytest.MonkeyPatch) -> Index:
    """Return what stands for the function and the machine in requests from now on."""
    index = Index()
    monkeypatch.setattr(f"{MODULE}.invoke", index.invoke)
    monkeypatch.setattr(f"{MODULE}.start_named", index.start)
    monkeypatch.setattr(f"{MODULE}.find_execution", index.find)
    monkeypatch.setattr("pipeline.operations.executions.find_execution", index.find)
    return index


@dataclass(frozen=True)
class Photos:
    """Jobs of `faces` that are done, by the names of their users."""

    s3: Any
    dynamodb: Any
    names: Names = NAMES

    def done(self, name: str, user: Any = ADA, *, status: str = "DONE", **record: Any) -> str:
        """Store a job's row and its record, which has vectors; return the key of the record."""
        key = f"{identify(user).prefix}u-{name[:4]}/cat.jpg"
        record_key = key.replace(".jpg", "_faces.record.json")
        job = Finished(self.s3, self.dynamodb, self.names, name, key=key)
        manifest = f"s3://{OUTPUT}/{record_key}"
        job.write_row(product="faces", machine="faces", manifest=manifest, status=status)
        stated = {"schema": 1, "product": "faces", "job_id": name, "count": 2} | record
        stated = {"embedder": "facenet", "embedded": 2, "files": [], "outputs": []} | stated
        self.put(record_key, stated)
        return record_key

    def put(self, key: str, stated: Any) -> None:
        self.s3.put_object(Bucket=OUTPUT, Key=key, Body=json.dumps(stated).encode())
