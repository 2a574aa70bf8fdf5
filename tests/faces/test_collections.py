"""Runs of the collection machine: every action, what is refused, and what it leaves in rows."""

from __future__ import annotations

import json
import time
from threading import Event
from typing import Any

import pytest

from pipeline.local.deployment import NAMES
from tests.execution.driver import PATIENCE_S, Driver
from tests.faces.collecting import CONSENT, Runs
from tests.faces.stubs.script import Script
from tests.faces.user import People
from tests.transcripts.stubs.script import Script as Recording

EMBEDDER = "face-api-resnet34"


@pytest.fixture
def runs(driver: Driver) -> Runs:
    return Runs(driver)


def put(driver: Driver, key: str, **said: Any) -> None:
    driver.put(Script(padding=key, **said).photo(), key)


def analysed(people: People, *keys: str) -> list[str]:
    """Upload photos, have their faces embedded, and return the keys of their output records."""
    for key in keys:
        people.ask(Script(padding=key).photo(), key, embed="true")
    return [f"{key.rpartition('.')[0]}_faces.record.json" for key in keys]


def hold(until: Event) -> None:
    assert until.wait(PATIENCE_S)


def wait_for_state(driver: Driver, run: str, state: str) -> None:
    states = driver.cloud.client("stepfunctions")
    deadline = time.monotonic() + PATIENCE_S
    while state not in json.dumps(states.get_execution_history(executionArn=run), default=str):
        assert time.monotonic() < deadline, f"{run} does not get to {state}"
        time.sleep(0.1)


def test_a_collection_is_created_with_the_deployments_model(runs: Runs) -> None:
    created = runs.create("made")

    assert created.output == {
        "status": "DONE",
        "job_id": created.name,
        "action": "create",
        "collection": "made",
        "result": {"collection": "made", "created": True},
    }
    assert runs.vectors("made")["model"] == EMBEDDER
    row = runs.row(created)
    assert (row["status"], row["product"], row["machine"]) == ("DONE", "collection", "collection")


def test_a_photo_is_enrolled_once_its_faces_are_found(runs: Runs, driver: Driver) -> None:
    runs.create("door")
    put(driver, "door/ada.png", faces=3)

    enrolled = runs.result(action="enroll", collection="door", photo="door/ada.png", person="Ada")

    assert (enrolled["enrolled"], enrolled["known"], enrolled["skipped"]) == (2, 0, [])
    assert runs.vectors("door")["vectors"] == 2


def test_a_photo_whose_faces_were_found_before_is_enrolled_from_its_record(
    runs: Runs, people: People
) -> None:
    runs.create("known")
    (record,) = analysed(people, "known/ada.png")

    first = runs.result(action="enroll", collection="known", photo="known/ada.png")
    again = runs.result(action="enroll", collection="known", records=[record])

    assert (first["enrolled"], again["enrolled"], again["known"]) == (1, 0, 1)


def test_a_photo_that_another_execution_works_on_is_waited_for(
    runs: Runs, driver: Driver, people: People
) -> None:
    runs.create("busy")
    put(driver, "busy/ada.png")
    asked = {
        "bucket": NAMES.bucket("ingest"),
        "key": "busy/ada.png",
        "options": {"embed": True, "embedder": EMBEDDER},
    }
    waited = Event()
    record = rf"PUT /{NAMES.bucket('output')}/busy/ada_faces.record.json"
    driver.faults.before(record, lambda: hold(waited))
    driver.begin(asked, machine="faces")
    run = driver.begin(
        {"action": "enroll", "collection": "busy", "photo": "busy/ada.png"}, "collection"
    )
    wait_for_state(driver, run, "LetFirstEnd")
    waited.set()
    driver.wait_until_ended(run)

    assert runs.vectors("busy")["vectors"] == 1
    people.wait()


def test_a_recording_is_no_photo_to_enroll(runs: Runs, driver: Driver) -> None:
    runs.create("sound")
    driver.put(Recording(padding="sound").recording(), "sound/talk.bin")

    refused = runs.ask(action="enroll", collection="sound", photo="sound/talk.bin")

    assert (refused.status, refused.error) == ("FAILED", "UnsupportedMedia")
    assert "photos only" in driver.reason(refused)["message"]


def test_a_photo_that_is_not_there_fails_with_the_reason_of_its_faces(runs: Runs) -> None:
    runs.create("gone")

    failed = runs.ask(action="enroll", collection="gone", photo="gone/nobody.png")

    assert failed.status == "FAILED"
    assert failed.reason.startswith("SourceMissing: ")


def test_everything_below_a_prefix_is_enrolled_and_accounted_for(
    runs: Runs, driver: Driver, people: People
) -> None:
    runs.create("team")
    analysed(people, "team/ada.png", "team/bob.png")
    people.ask(Script(padding="none").photo(), "team/no-vectors.png")
    driver.put(b"{}", "team/broken_faces.record.json", to=NAMES.bucket("output"))
    analysed(people, "other/eve.png")

    done = runs.result(action="enroll", collection="team", prefix="team/", person_from="name")

    assert done["counts"] == {
        "enrolled": 2,
        "known": 0,
        "skipped": {"no vectors": 1, "no record": 1},
    }
    assert done["after"] is None
    assert runs.vectors("team")["vectors"] == 2


def test_an_empty_prefix_is_no_error_and_a_missing_collection_is(runs: Runs) -> None:
    runs.create("empty")

    done = runs.result(action="enroll", collection="empty", prefix="nothing/here/")
    missing = runs.ask(action="enroll", collection="nowhere", prefix="nothing/here/")

    assert (done["counts"]["enrolled"], done["vectors"]) == (0, 0)
    assert missing.error == "CollectionMissing"


def test_a_forgotten_person_takes_the_files_of_their_photos(
    runs: Runs, driver: Driver, people: People
) -> None:
    runs.create("left")
    records = analysed(people, "left/one.png", "left/two.png")
    runs.result(action="enroll", collection="left", records=records, person="Ada")
    (kept,) = analysed(people, "stays/bob.png")
    runs.result(action="enroll", collection="left", records=[kept], person="Bob")

    forgotten = runs.result(action="forget", collection="left", person="Ada")

    assert (forgotten["forgotten"], forgotten["after"]) == (2, None)
    assert forgotten["photos"] == ["left/one.png", "left/two.png"]
    assert driver.keys("output", prefix="left/") == []
    assert driver.keys("ingest", prefix="left/") == ["left/one.png", "left/two.png"]
    assert kept in driver.keys("output", prefix="stays/")
    assert {row["status"] for row in driver.records_of("left/one.png")} == {"DELETED"}
    assert runs.vectors("left")["vectors"] == 1


def test_a_forgotten_photo_keeps_its_files(runs: Runs, driver: Driver, people: People) -> None:
    runs.create("photo")
    records = analysed(people, "photo/one.png")
    runs.result(action="enroll", collection="photo", records=records)

    forgotten = runs.result(action="forget", collection="photo", photo="photo/one.png")

    assert (forgotten["forgotten"], forgotten["photos"]) == (1, [])
    assert records[0] in driver.keys("output", prefix="photo/")


def test_a_deleted_photo_is_forgotten_by_collections_too(
    runs: Runs, driver: Driver, people: People
) -> None:
    runs.create("source")
    records = analysed(people, "source/one.png")
    runs.result(action="enroll", collection="source", records=records)
    driver.s3.delete_object(Bucket=NAMES.bucket("ingest"), Key="source/one.png")
    people.wait()

    assert runs.vectors("source")["vectors"] == 0


def test_a_person_is_exported_and_a_collection_compacted_and_deleted(
    runs: Runs, people: People
) -> None:
    runs.create("life")
    records = analysed(people, "life/ada.png", "life/bob.png")
    runs.result(action="enroll", collection="life", records=records, person_from="name")

    exported = runs.result(action="export", collection="life", person="ada")
    runs.result(action="forget", collection="life", person="ada")
    compacted = runs.result(action="compact", collection="life", force=True)
    deleted = runs.result(action="delete", collection="life")

    assert exported["count"] == 1
    assert (compacted["erased"], compacted["vectors"]) == (1, 1)
    assert deleted["collection"] == "life"
    assert runs.ask(action="compact", collection="life").error == "CollectionMissing"


def test_the_schedule_compacts_every_collection(runs: Runs, driver: Driver) -> None:
    for name in ("swept-one", "swept-two"):
        runs.create(name)

    runs.given({"detail-type": "Scheduled Event"}, machine="compact-collections")
    states = driver.cloud.client("stepfunctions")
    listed = states.list_executions(stateMachineArn=NAMES.machine_arn("collection"))["executions"]
    asked = []
    for each in listed:
        driver.wait_until_ended(each["executionArn"])
        asked.append(states.describe_execution(executionArn=each["executionArn"]))
    swept = {
        given["collection"]: each["status"]
        for each in asked
        if (given := json.loads(each["input"])).get("asked_by") == "compact-collections"
    }

    assert {swept["swept-one"], swept["swept-two"]} == {"SUCCEEDED"}


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        (["no", "object"], "InvalidOptions", "the input: should be an object"),
        ({"collection": "staff"}, "InvalidOptions", "action: should be one of"),
        ({"action": "enrol", "collection": "staff"}, "InvalidOptions", "did you mean 'enroll'?"),
        ({"action": "enroll"}, "InvalidOptions", "collection: field required"),
        (
            {"action": "enroll", "collection": "staff", "photo": "a.jpg", "persn": "Ada"},
            "InvalidOptions",
            "persn: there is no such field; did you mean 'person'?",
        ),
        (
            {"action": "forget", "collection": "staff", "person": "Ada", "photo": "a.jpg"},
            "InvalidOptions",
            "give a person or a photo",
        ),
        ({"action": "create", "collection": "staff"}, "ConsentMissing", "purpose, legal_basis"),
        ({"action": "export", "collection": "nowhere", "person": "Ada"}, "CollectionMissing", ""),
    ],
    ids=["list", "none", "misspelt", "nameless", "field", "two", "consent", "missing"],
)
def test_what_is_wrong_with_a_request_has_a_name_and_is_quarantined(
    runs: Runs, driver: Driver, given: Any, error: str, said: str
) -> None:
    refused = runs.given(given)

    assert (refused.status, refused.error) == ("FAILED", error)
    reason = driver.reason(refused)
    assert reason["error"] == error
    assert said in reason["message"]
    assert refused.name in reason["replay"]["command"]
    row = runs.row(refused)
    assert (row["status"], row["error"], row["machine"]) == ("QUARANTINED", error, "collection")
    assert "Ada" not in json.dumps(reason) + json.dumps(row)


def test_two_creations_of_one_name_agree_or_one_is_refused(runs: Runs) -> None:
    runs.create("twice")

    same = runs.create("twice")
    other = runs.ask(
        action="create", collection="twice", consent={**CONSENT, "purpose": "marketing"}
    )

    assert same.output["result"]["created"] is False
    assert other.error == "CollectionExists"
