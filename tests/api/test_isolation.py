"""Two users cannot see each other, by any route. A new route needs a row in `ATTEMPTS`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest
import urllib3

from pipeline.api_keys import OPERATOR_SCOPE
from pipeline.local.cloud import make_client
from pipeline.local.deployment import NAMES
from tests.api.described import OPERATIONS, Operation
from tests.api.faces import WHY, created, embedded, ended, found
from tests.containers.http_api.finished import Finished, finished_at
from tests.execution.api import PHOTO, User, batch_of, done, prefix_of, selection_of
from tests.execution.driver import PATIENCE_S
from tests.pipeline.cli.terminal import Terminal

MACHINES: Final = ("cutout", "faces", "transcript", "collection")
KEY: Final = "the-owners-key"


@dataclass(frozen=True)
class Belongings:
    """What the owner has: an upload that waits, a job that is done and one that was refused.

    And a photo that is prepared for clicks, a batch that has ended, and a transcript; a collection
    that the owner may search, the operator's action that created it, and a job with vectors.
    """

    owner: User
    waiting: dict[str, Any]
    finished: dict[str, Any]
    refused: dict[str, Any]
    selection: str
    batch: str
    talk: Finished
    faces: dict[str, Any]
    collection: str
    action: str

    @property
    def names(self) -> list[str]:
        """Every name by which the owner can ask for an upload or a job."""
        return [
            self.waiting["id"],
            *(self.finished[name] for name in ("id", "job", "execution")),
            *(self.refused[name] for name in ("id", "execution")),
            self.talk.job_id,
            self.faces["job"],
        ]

    @property
    def marks(self) -> list[str]:
        """What no one else may be told, and what stands in everything that is the owner's."""
        prefix = prefix_of(self.owner).strip("/")
        named = [self.selection, self.batch, self.collection, self.action]
        return [prefix, self.owner.name, *named, *self.names]


@dataclass(frozen=True)
class Attempt:
    """A request of another user. If it names something of the owner's, it must not be found.

    `status` is the answer to what names something: 422 where a field may name only one's own.
    """

    named: str = ""
    query: str = ""
    body: Any = None
    idempotency_key: str = ""
    status: int = 404
    action: str = ""

    def without_name(self) -> Attempt:
        """Return the same request for something that never was."""
        body = json.loads(json.dumps(self.body).replace(self.named, "never"))
        return replace(self, named="never", body=body)

    def send(self, user: User, operation: Operation) -> urllib3.BaseHTTPResponse:
        names = {"name": self.named, "job_id": self.named}
        path = operation.path.format(action=self.action, machine=MACHINES[0], **names) + self.query
        headers = {"idempotency_key": self.idempotency_key} if self.idempotency_key else {}
        return user.ask(operation.method, path, body=self.body, **headers)


def by_name(body: Any = None) -> Callable[[Belongings], list[Attempt]]:
    return lambda theirs: [Attempt(name, body=body) for name in theirs.names]


def nothing_named(_theirs: Belongings) -> list[Attempt]:
    return [Attempt()]


def by_key(theirs: Belongings) -> list[Attempt]:
    return [
        Attempt(key, body={"key": key, "force": True})
        for key in (theirs.finished["key"], theirs.refused["key"], theirs.waiting["key"])
    ]


def by_photo(theirs: Belongings) -> list[Attempt]:
    key, uploads = theirs.finished["key"], (theirs.finished["id"], theirs.waiting["id"])
    named = [Attempt(name, body={"upload": name}) for name in uploads]
    return [Attempt(key, body={"key": key}), *named]


def by_selection(body: Any = None) -> Callable[[Belongings], list[Attempt]]:
    return lambda theirs: [Attempt(name, body=body) for name in (theirs.selection, *theirs.names)]


def by_batch(query: str = "") -> Callable[[Belongings], list[Attempt]]:
    return lambda theirs: [Attempt(name, query) for name in (theirs.batch, *theirs.names)]


def by_collection(body: Any = None, status: int = 404) -> Callable[[Belongings], list[Attempt]]:
    return lambda theirs: [
        Attempt(theirs.collection, body=body, action=theirs.action, status=status)
    ]


def by_console(body: Any = None) -> Callable[[Belongings], list[Attempt]]:
    """Only operators have the console: others are told the same of what is there and what is not.

    The operation's path has the machine, so each name is asked for as an execution of `cutout`.
    """
    return lambda theirs: [Attempt(name, body=body) for name in theirs.names]


def without_console(body: Any = None) -> Callable[[Belongings], list[Attempt]]:
    return lambda theirs: [Attempt(name, f"?cursor={name}", body) for name in theirs.names[:1]]


def new_collection(theirs: Belongings) -> list[Attempt]:
    body = {"name": theirs.collection, **WHY}
    return [Attempt(theirs.collection, body=body, status=403)]


def by_vectors(theirs: Belongings) -> list[Attempt]:
    return [Attempt(name, body={"job_id": name, "among": [name]}) for name in theirs.names]


def by_keys(theirs: Belongings) -> list[Attempt]:
    key, prefix = theirs.finished["key"], prefix_of(theirs.owner)
    bodies: dict[str, dict[str, Any]] = {key: {"keys": [key]}, prefix: {"prefix": prefix}}
    return [Attempt(named, body=body, status=422) for named, body in bodies.items()]


def form(_theirs: Belongings) -> list[Attempt]:
    asked = {"name": "cat.png", "bytes": len(PHOTO)}
    return [Attempt(body=asked), Attempt(body=asked, idempotency_key=KEY)]


def listing(_theirs: Belongings) -> list[Attempt]:
    queries = ("", "?limit=100", "?status=done", "?status=quarantined", "?since=2020-01-01T00:00Z")
    return [Attempt(query=query) for query in queries]


# By operationId: what another user asks for, to reach what is the owner's.
ATTEMPTS: Final[dict[str, Callable[[Belongings], list[Attempt]]]] = {
    "cancelJob": by_name(),
    "changeCollection": by_collection({"revoke": ["ab" * 16]}),
    "createBatch": by_keys,
    "createCollection": new_collection,
    "createJob": by_key,
    "createMasks": by_selection({"points": [{"x": 1, "y": 1}]}),
    "createSelection": by_photo,
    "createUpload": form,
    "deleteCollection": by_collection(),
    "enrollFaces": by_collection({"prefix": "people/"}),
    "forgetSubject": by_collection({"person": "anna"}),
    "getAction": by_collection(),
    "getBatch": by_batch(),
    "getCollection": by_collection(),
    "getExecution": by_console(),
    "getJob": by_name(),
    "getLogs": by_console(),
    "getMachine": by_console(),
    "getQuotas": nothing_named,
    "getSource": by_name(),
    "getSpeakerNames": by_name(),
    "getSelection": by_selection(),
    "listBatchFailures": by_batch("?limit=10"),
    "listCollections": nothing_named,
    "listContainers": without_console(),
    "listExecutions": without_console(),
    "listJobs": listing,
    "listMachines": without_console(),
    "listModels": nothing_named,
    "listOptions": nothing_named,
    "listQuarantine": without_console(),
    "listSearches": by_collection(),
    "putSpeakerNames": by_name({"SPEAKER_00": "Anna"}),
    "redriveExecution": by_console(),
    "releaseJob": by_console({}),
    "replayExecution": by_console({"force": True}),
    "replayJob": by_name({"force": True}),
    "searchCollection": by_collection({"job_id": "1"}),
    "searchJobs": by_vectors,
    "startExecution": by_console({"machine": "cutout", "input": {}}),
    "stopBatch": by_batch(),
    "stopExecution": by_console(),
}


@pytest.fixture(scope="module")
def theirs(up: Terminal, address: str) -> Belongings:
    owner = User(address, "the-owner")
    asked = {"name": "cat.png", "bytes": len(PHOTO)}
    waiting = owner.ask("POST", "/uploads", body=asked, idempotency_key=KEY).json()
    finished, refused = done(owner), done(owner, b"no photo", name="letter.txt")
    selection, batch = selection_of(owner, finished["key"]), batch_of(owner, finished["key"])
    talk = finished_at(up.endpoint, prefix_of(owner))
    operator = User(address, "the-operator", OPERATOR_SCOPE)
    faces, collection = embedded(owner, 3), created(operator, "the-owners-staff", owner)
    path = f"/collections/{collection}/enrollments"
    begun = operator.ask("POST", path, body={"job_id": faces["job"], "person": "anna"})
    action = ended(operator, collection, begun)["id"]
    theirs = Belongings(
        owner, waiting, finished, refused, selection, batch, talk, faces, collection, action
    )
    deadline = time.monotonic() + PATIENCE_S
    while any('"RUNNING"' in each for each in world(up.endpoint, theirs)):
        assert time.monotonic() < deadline  # a job is done shortly before its execution ends
        time.sleep(0.05)
    return theirs


def test_every_route_has_attempts() -> None:
    assert ATTEMPTS.keys() == {operation.id for operation in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_another_user_finds_nothing_and_changes_nothing(
    up: Terminal, theirs: Belongings, operation: Operation, user: User
) -> None:
    before = world(up.endpoint, theirs)
    attempts = ATTEMPTS[operation.id](theirs)

    for attempt in attempts:
        answer = attempt.send(user, operation)
        if attempt.named:
            never = attempt.without_name().send(user, operation)
            assert answer.status == never.status == attempt.status, answer.data
            assert told(answer, attempt.named) == told(never, "never")
        else:
            assert answer.status < 300, answer.data
            assert [mark for mark in theirs.marks if mark in answer.data.decode()] == []

    assert attempts
    assert world(up.endpoint, theirs) == before


def test_the_owner_is_answered(theirs: Belongings) -> None:
    """Without this, the attempts would prove nothing: what they name is there."""
    for name in theirs.names:
        assert theirs.owner.ask("GET", f"/jobs/{name}").status == 200
    assert theirs.finished["job"] in theirs.owner.ask("GET", "/jobs").data.decode()
    for told in ("speakers", "source"):
        assert theirs.owner.ask("GET", f"/jobs/{theirs.talk.job_id}/{told}").status == 200
    assert theirs.owner.ask("GET", f"/selections/{theirs.selection}").json()["state"] == "ready"
    assert theirs.owner.ask("GET", f"/batches/{theirs.batch}").json()["state"] == "done"
    (listed,) = theirs.owner.ask("GET", "/collections").json()["items"]
    assert (listed["name"], listed["vectors"]) == (theirs.collection, 1)
    assert found(theirs.owner, theirs.collection, theirs.faces["job"])[0]["person"] == "anna"


def told(answer: urllib3.BaseHTTPResponse, named: str) -> dict[str, Any]:
    """Return an answer without the name that was asked for and without the request's own id."""
    read = json.loads(answer.data.decode().replace(named, "…"))
    return {field: text for field, text in read.items() if field != "request_id"}


def world(endpoint: str, theirs: Belongings) -> list[str]:
    """Return everything of the owner's that is stored or has run."""
    s3, states = make_client("s3", endpoint), make_client("stepfunctions", endpoint)
    dynamodb = make_client("dynamodb", endpoint)
    objects = [
        [bucket["Name"], version]
        for bucket in s3.list_buckets()["Buckets"]
        for version in s3.list_object_versions(Bucket=bucket["Name"]).get("Versions", [])
    ]
    rows = [
        [table, row]
        for table in dynamodb.list_tables()["TableNames"]
        for row in dynamodb.scan(TableName=table)["Items"]
    ]
    executions = [
        states.describe_execution(executionArn=each["executionArn"])
        for machine in MACHINES
        for page in states.get_paginator("list_executions").paginate(
            stateMachineArn=NAMES.machine_arn(machine)
        )
        for each in page["executions"]
    ]
    for each in executions:
        del each["ResponseMetadata"]
    everything = (json.dumps(each, default=str) for each in (*objects, *rows, *executions))
    return sorted(each for each in everything if any(mark in each for mark in theirs.marks))
