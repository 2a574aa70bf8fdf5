"""In the deployed stage, faces are enrolled, found and forgotten by the one role that may."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.wiring.stage import Stage
from tests.wiring.test_faces import ask, delete

pytestmark = pytest.mark.wiring

CONSENT = {"purpose": "tests of wiring", "legal_basis": "drawn faces", "retention_days": 30}


def act(stage: Stage, action: str, **asked: Any) -> Any:
    """Do one action of the collection `staff`; return its result."""
    given = {"action": action, "collection": "staff", **asked}
    done = stage.start("collection", given)
    assert done.verdict == "DONE", done.reason
    return done.output["result"]


def find(stage: Stage, record: str) -> list[str]:
    """Return the keys of the photos that each face of a record is like."""
    names = stage.names
    job = {
        "schema": 1,
        "action": "search",
        "scope": "collection",
        "collection": "staff",
        "execution": "wiring",
        "asked_by": "wiring",
        "asked_at": "2026-01-01T00:00:00Z",
        "collections_bucket": names.bucket("collections"),
        "vector_bucket": names.vector_bucket("collections"),
        "output_bucket": names.bucket("output"),
        "query": {"record": record},
        "threshold": 0.99,
    }
    answer = stage.cloud.client("lambda").invoke(
        FunctionName=names.function("vector-index"), Qualifier="live", Payload=json.dumps(job)
    )
    found = json.load(answer["Payload"])
    assert "FunctionError" not in answer, found
    return sorted({match["key"] for query in found["queries"] for match in query["matches"]})


def objects(stage: Stage, prefix: str) -> list[str]:
    """Return the keys below a prefix of the collections bucket of which any version is left."""
    listed = stage.cloud.client("s3").list_object_versions(
        Bucket=stage.names.bucket("collections"), Prefix=prefix
    )
    rows = [*listed.get("Versions", ()), *listed.get("DeleteMarkers", ())]
    return [row["Key"] for row in rows]


@pytest.fixture(scope="module")
def staff(stage: Stage) -> Iterator[Stage]:
    """A stage with a collection of the faces in one photo."""
    act(stage, "create", consent=CONSENT)
    made = ask(stage, "staff/us.png", 254, embed="true")
    assert made.verdict == "DONE", made.reason
    enrolled = act(stage, "enroll", records=["staff/us_faces.record.json"], person="ada")
    assert (enrolled["enrolled"], enrolled["skipped"]) == (1, [])
    yield stage
    act(stage, "delete")
    assert objects(stage, "collections/staff/") == []


def test_an_enrolled_face_is_found_and_the_search_is_written_down(staff: Stage) -> None:
    assert find(staff, "staff/us_faces.record.json") == ["staff/us.png"]
    (record, *_) = objects(staff, "searches/staff/")

    assert staff.read_json("collections", record)["asked_by"] == "wiring"


def test_a_collection_without_consent_is_quarantined(stage: Stage) -> None:
    refused = stage.start("collection", {"action": "create", "collection": "others"})

    assert (refused.status, refused.error) == ("FAILED", "ConsentMissing")
    assert stage.record_of(refused)["status"] == "QUARANTINED"


def test_what_is_forgotten_is_not_found_and_erased_by_a_compaction(staff: Stage) -> None:
    ask(staff, "staff/bo.png", 253, embed="true")
    act(staff, "enroll", records=["staff/bo_faces.record.json"], person="bo")
    assert "staff/bo.png" in find(staff, "staff/bo_faces.record.json")

    forgotten = act(staff, "forget", photo="staff/bo.png")
    assert forgotten["forgotten"] == 1
    assert "staff/bo.png" not in find(staff, "staff/bo_faces.record.json")

    segments = objects(staff, "collections/staff/segments/")
    compacted = act(staff, "compact", force=True)
    assert compacted["erased"] == 1
    assert set(objects(staff, "collections/staff/segments/")).isdisjoint(segments)


def test_a_deleted_photo_is_forgotten_by_collections(staff: Stage) -> None:
    ask(staff, "staff/cy.png", 252, embed="true")
    act(staff, "enroll", records=["staff/cy_faces.record.json"], person="cy")
    query = "staff/us_faces.record.json"
    assert "staff/cy.png" in find(staff, query)

    forgot = delete(staff, "staff/cy.png")

    assert forgot.status == "SUCCEEDED", forgot.reason
    assert "staff/cy.png" not in find(staff, query)


def test_compaction_visits_every_collection(staff: Stage) -> None:
    states = staff.cloud.client("stepfunctions")
    arn = staff.names.unqualified_machine_arn("collection")
    before = len(states.list_executions(stateMachineArn=arn)["executions"])

    done = staff.start("compact-collections", {})

    assert done.status == "SUCCEEDED", done.reason
    assert len(states.list_executions(stateMachineArn=arn)["executions"]) == before + 1


def test_a_search_that_cannot_be_written_down_is_not_answered(staff: Stage) -> None:
    role = staff.names.function("vector-index")
    with (
        staff.denied(role, "s3:PutObject", "collections", "searches/*"),
        pytest.raises(AssertionError, match=r"Denied|Forbidden"),
    ):
        find(staff, "staff/us_faces.record.json")
