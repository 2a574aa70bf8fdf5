"""What is asked of collections, under which name, and how the answers are read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from pipeline.contracts.collection import Collection, CollectionsDescribed, Consent
from pipeline.contracts.collection_enrolments import Enrolled
from pipeline.contracts.collection_requests import Create, Enroll, Forget, Request
from pipeline.contracts.collection_runs import Enrolments, PrefixEnrolled
from pipeline.contracts.collection_searches import RecordQuery, Searched
from pipeline.declared.names import LOCAL_NAMES
from pipeline.errors import CollectionMissing, EmbeddingMismatch
from pipeline.operations.collections import (
    MACHINE,
    Wanted,
    await_action,
    describe_collection,
    find_action,
    list_searches,
    new_action,
    operator_of,
    search_collection,
    search_records,
    start_action,
)
from pipeline.operations.invoking import FunctionBroken
from tests.pipeline.operations.deployment import DEFINITION, ROLE, Deployment
from tests.pipeline.operations.test_selecting import NAMES, Services, answered, failed, site_of

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
CONSENT = Consent(purpose="find staff", legal_basis="their consent", retention_days=30)
ENROLLED = Enrolled(
    collection="staff", enrolled=2, known=1, skipped=(), vectors=3, segments=1, compact=False
)
OF_PREFIX = PrefixEnrolled(
    collection="staff",
    counts=Enrolments(enrolled=4, known=0, skipped={"no vectors": 2}),
    vectors=4,
    segments=1,
    compact=False,
    after=None,
)
FOUND = Searched(collection="staff", threshold=0.9, queries=(), searched=3, search="s1")


def done(result: Any) -> dict[str, Any]:
    """Return an execution that has ended well, as the state machine ends it."""
    output = {"status": "DONE", "collection": "staff", "result": result.model_dump(mode="json")}
    asked = {"action": "enroll", "collection": "staff"}
    return {"status": "SUCCEEDED", "input": json.dumps(asked), "output": json.dumps(output)}


@pytest.fixture
def machine(deployment: Deployment) -> Deployment:
    deployment.states.create_state_machine(
        name=LOCAL_NAMES.machine(MACHINE), definition=json.dumps(DEFINITION), roleArn=ROLE
    )
    return deployment


def test_an_action_is_started_once_under_its_name(machine: Deployment) -> None:
    request = Forget(collection="staff", person="p-17")
    name = new_action(request)

    start_action(machine.site, request, asked_by="ada", name=name)
    start_action(machine.site, request, asked_by="ada", name=name)

    listed = machine.states.list_executions(stateMachineArn=LOCAL_NAMES.machine_arn(MACHINE))
    (execution,) = listed["executions"]
    told = machine.states.describe_execution(executionArn=execution["executionArn"])
    assert execution["name"] == name
    assert json.loads(told["input"]) == {
        "action": "forget", "collection": "staff", "person": "p-17", "asked_by": "ada",
    }  # fmt: skip


@pytest.mark.parametrize(
    "request_",
    [
        Create(collection="staff", consent=CONSENT, allowed=("ad" * 16,)),
        Enroll(collection="staff", records=("a_faces.record.json",), faces=(0, 2)),
    ],
    ids=["create", "enroll"],
)
def test_what_is_asked_for_is_read_again_as_it_was(machine: Deployment, request_: Request) -> None:
    start_action(machine.site, request_, asked_by="ada", name="one")

    arn = LOCAL_NAMES.execution_arn(MACHINE, "one")
    told = json.loads(machine.states.describe_execution(executionArn=arn)["input"])
    assert told.pop("asked_by") == "ada"
    assert type(request_).model_validate(told) == request_


def test_an_action_runs_until_it_has_a_result_or_a_failure(machine: Deployment) -> None:
    start_action(machine.site, Forget(collection="staff", photo="a.jpg"), asked_by="ada", name="x")

    running = await_action(machine.site, "x", timeout_s=0)
    machine.stop(LOCAL_NAMES.execution_arn(MACHINE, "x"))
    stopped = await_action(machine.site, "x", timeout_s=5)

    assert running is not None
    assert (running.action, running.collection, running.ended) == ("forget", "staff", False)
    assert stopped is not None
    assert stopped.ended
    assert stopped.result is None
    assert find_action(machine.site, "nothing") is None


@pytest.mark.parametrize("result", [ENROLLED, OF_PREFIX], ids=["records", "prefix"])
def test_a_result_is_of_the_action_it_ends(result: Any) -> None:
    action = find_action(site_of(Services(execution=done(result))), "x")

    assert action is not None
    assert action.result == result


def test_a_failure_keeps_its_name_and_its_hint() -> None:
    cause = json.dumps({"errorMessage": "vectors of sface\nUse the collection's model."})
    execution = {"status": "FAILED", "error": "EmbeddingMismatch", "cause": cause}

    action = find_action(site_of(Services(execution=execution)), "x")

    assert action is not None
    assert action.failure == (
        "EmbeddingMismatch", "vectors of sface", "Use the collection's model.",
    )  # fmt: skip


def test_a_search_asks_the_live_index_and_says_who_asks() -> None:
    services = Services(answer=answered(FOUND.model_dump(mode="json", by_alias=True)))
    query = RecordQuery(record="a_faces.record.json", face=1)

    found = search_collection(
        site_of(services), "staff", query, Wanted(k=3, threshold=0.8, person="p"), asked_by="ada"
    )

    job = json.loads(services.invoked["Payload"])
    assert found == FOUND
    assert services.invoked["FunctionName"] == f"{NAMES.function_arn('vector-index')}:live"
    assert (job["scope"], job["collection"], job["among"]) == ("collection", "staff", [])
    assert (job["k"], job["threshold"], job["person"], job["asked_by"]) == (3, 0.8, "p", "ada")
    assert job["query"] == {"record": "a_faces.record.json", "face": 1}
    assert job["collections_bucket"] == NAMES.bucket("collections")
    assert job["vector_bucket"] == NAMES.vector_bucket("collections")
    assert job["output_bucket"] == NAMES.bucket("output")


def test_a_search_among_records_names_no_collection() -> None:
    services = Services(answer=answered(FOUND.model_dump(mode="json", by_alias=True)))

    search_records(
        site_of(services), iter(["b", "c"]), RecordQuery(record="a"), Wanted(), asked_by="ada"
    )

    job = json.loads(services.invoked["Payload"])
    assert (job["scope"], job["collection"], job["among"]) == ("job", None, ["b", "c"])


def test_each_search_is_told_apart_from_every_other() -> None:
    executions = set()
    for _ in range(2):
        services = Services(answer=answered(FOUND.model_dump(mode="json", by_alias=True)))
        query = RecordQuery(record="a")
        search_collection(site_of(services), "staff", query, Wanted(), asked_by="ada")
        executions.add(json.loads(services.invoked["Payload"])["execution"])

    assert len(executions) == 2


def test_a_search_of_more_than_a_hundred_matches_is_not_asked_for() -> None:
    with pytest.raises(ValueError, match="less than or equal to 100"):
        Wanted(k=101)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (failed("EmbeddingMismatch", "of sface\nhint"), EmbeddingMismatch),
        (failed("ZeroDivisionError", "division"), FunctionBroken),
    ],
)
def test_an_error_of_the_index_keeps_its_name(answer: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        describe_collection(site_of(Services(answer=answer)), "staff", asked_by="ada")


def test_a_collection_that_is_not_described_is_missing() -> None:
    none = CollectionsDescribed(collections=()).model_dump(mode="json", by_alias=True)

    with pytest.raises(CollectionMissing, match="staff"):
        describe_collection(site_of(Services(answer=answered(none))), "staff", asked_by="ada")


def test_searches_are_asked_for_since_a_time() -> None:
    none = {"schema": 1, "searches": []}
    services = Services(answer=answered(none))

    assert list_searches(site_of(services), "staff", NOW, limit=5, asked_by="ada") == ()

    job = json.loads(services.invoked["Payload"])
    assert (job["action"], job["limit"]) == ("searches", 5)
    assert datetime.fromisoformat(job["since"]) == NOW


def test_an_operator_is_who_aws_says(monkeypatch: pytest.MonkeyPatch) -> None:
    services = cast("Any", Services())
    arn = "arn:aws:sts::123456789012:assumed-role/ops/ada"
    monkeypatch.setattr(services, "get_caller_identity", lambda: {"Arn": arn}, raising=False)
    site = site_of(services)
    monkeypatch.setattr(site, "local", False, raising=False)

    assert operator_of(site) == arn


def test_a_collection_is_read_as_it_was_described() -> None:
    staff = Collection(
        name="staff", consent=CONSENT, model="face-api-resnet34", weights_sha256=None,
        dimension=None, same_above=None, backend="segments", index="flat", allowed=(),
        erase_within_days=7, created_at=NOW, changed_at=NOW, vectors=0, forgotten=0, segments=0,
        bytes=0,
    )  # fmt: skip
    told = CollectionsDescribed(collections=(staff,)).model_dump(mode="json", by_alias=True)
    services = Services(answer=answered(told))

    assert describe_collection(site_of(services), "staff", asked_by="ada") == staff
    assert json.loads(services.invoked["Payload"])["collection"] == "staff"
