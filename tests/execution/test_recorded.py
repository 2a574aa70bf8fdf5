"""Executions that cannot say how they ended are recorded from outside, by `record-failure`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.local.deployment import NAMES
from pipeline.operations.executions import Execution, find_execution
from pipeline.operations.jobs_table import JobsTable
from pipeline.operations.site import local_site
from tests.execution.driver import PATIENCE_S, Driver
from tests.execution.faults import WEIGHTS_ARE_LISTED
from tests.pictures import png, square

HOUR = timedelta(hours=1)
UPLOAD_IS_READ = rf"(GET|HEAD) /{NAMES.bucket('ingest')}/"


def row_of(driver: Driver, key: str) -> dict[str, str]:
    (row,) = driver.records_of(key)
    return row


def event_for(bucket: str, key: str) -> dict[str, object]:
    return {
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": bucket}, "object": {"key": key}},
    }


def last_recorded(driver: Driver, recording: Execution) -> str:
    """How the last row of a recording ended; what follows is the name of its object."""
    return [state for state in driver.states_of(recording) if state.startswith("Recorded")][-1]


def test_a_bug_releases_its_job_and_leaves_its_name_and_cause(driver: Driver) -> None:
    execution = driver.drop(png(square()), "recorded/bug.png", model="buggy")

    recording = driver.recording_of(execution)

    row = row_of(driver, "recorded/bug.png")
    assert (recording.status, last_recorded(driver, recording)) == ("SUCCEEDED", "Recorded")
    assert (row["status"], row["error"]) == ("FAILED", "ZeroDivisionError")
    assert (row["execution"], row["held_until"]) == (execution.arn, "0")
    assert json.loads(row["reason"])["errorMessage"] == "integer division or modulo by zero"
    assert row["bucket"] == NAMES.bucket("ingest")


def test_the_same_photo_runs_again_at_once_after_a_failure(driver: Driver) -> None:
    driver.recording_of(driver.drop(png(square()), "recorded/again.png", model="buggy"))

    second = driver.drop(png(square()), "recorded/again.png", model="buggy")

    assert second.error == "ZeroDivisionError"
    assert driver.states_of(second)[-1] == "RemoveBackground"


def test_a_job_that_failed_and_is_done_has_no_error_left(driver: Driver) -> None:
    with driver.faults.outage(rf"PUT /{NAMES.bucket('work')}/.*/mask.png"):
        driver.recording_of(driver.drop(png(square()), "recorded/mended.png"))

    second = driver.drop(png(square()), "recorded/mended.png")

    row = row_of(driver, "recorded/mended.png")
    assert (second.status, row["status"]) == ("SUCCEEDED", "DONE")
    assert row.keys().isdisjoint({"error", "reason"})


def test_an_execution_that_is_stopped_by_hand_releases_its_job(driver: Driver) -> None:
    key = "recorded/stopped.png"
    states = driver.cloud.client("stepfunctions")
    driver.faults.before(
        WEIGHTS_ARE_LISTED,
        lambda: states.stop_execution(executionArn=driver.running()),
    )

    execution = driver.drop(png(square()), key)
    driver.recording_of(execution)

    row = row_of(driver, key)
    assert execution.status == "ABORTED"
    assert (row["status"], row["error"]) == ("FAILED", "ABORTED")
    assert (row["reason"], row["held_until"]) == ("no cause was given", "0")


def test_an_execution_that_runs_out_of_time_releases_its_job(driver: Driver) -> None:
    driver.faults.before(WEIGHTS_ARE_LISTED, lambda: until_nothing_runs(driver))
    with timeout_s(driver, 8):  # long enough for a busy machine to claim the job
        execution = driver.drop(png(square()), "recorded/late.png")

    driver.recording_of(execution)

    row = row_of(driver, "recorded/late.png")
    assert execution.status == "TIMED_OUT"
    assert (row["status"], row["error"], row["held_until"]) == ("FAILED", "TIMED_OUT", "0")


def test_an_execution_that_ends_before_it_claims_a_job_is_recorded_by_its_name(
    driver: Driver,
) -> None:
    with driver.faults.outage(UPLOAD_IS_READ):
        execution = driver.drop(png(square()), "recorded/unread.png")
    recording = driver.recording_of(execution)

    row = driver.record(name_of(execution))
    assert (row["status"], row["error"]) == ("FAILED", "StoreUnavailable")
    assert row["execution"] == execution.arn
    assert (row["product"], row["machine"]) == ("cutout", "cutout")
    assert driver.states_of(recording).count("FindJob") == 2


def test_a_record_by_an_executions_name_says_which_of_several_products_it_was(
    driver: Driver,
) -> None:
    with driver.faults.outage(UPLOAD_IS_READ):
        execution = driver.drop(b"unread", "recorded/several.mp3")
        recording = driver.recording_of(execution)

    row = driver.record(name_of(execution))
    assert (row["product"], row["machine"]) == ("transcript", "transcript")
    products = [product.name for product in driver.cloud.blueprint.products]
    tried = products.index("transcript") + 1
    assert driver.states_of(recording).count("TryMachine") == tried > 1


def test_no_row_is_made_for_a_job_that_was_deleted_since_the_reaper_saw_it(
    driver: Driver,
) -> None:
    facts = {"status": "GONE", "name": "deleted", "error": "ExecutionGone", "cause": "gone"}
    arn = NAMES.execution_arn("cutout", "deleted")

    told = {"detail": {**facts, "executionArn": arn, "stateMachineArn": "", "stopDate": "0.5"}}
    recording = driver.record_failure(told)

    assert driver.states_of(recording)[-1] == "RowDeleted"
    assert driver.record("deleted") == {}


def test_what_an_execution_says_of_itself_stands(driver: Driver) -> None:
    refused = driver.drop(b"no photo", "recorded/letter.txt")
    too_large = driver.drop(png(square()), "recorded/large.png", model="hungry")
    before = driver.record(name_of(refused)), row_of(driver, "recorded/large.png")

    recordings = [driver.recording_of(one) for one in (refused, too_large)]

    assert {last_recorded(driver, each) for each in recordings} == {"RecordedBefore"}
    source = {"bucket": NAMES.bucket("ingest"), "key": "recorded/letter.txt"}
    assert driver.record(name_of(refused)) == before[0] | source
    assert row_of(driver, "recorded/large.png") == before[1]
    assert [row["status"] for row in before] == ["QUARANTINED", "FAILED"]


@pytest.mark.parametrize(
    ("given", "source"),
    [
        ({"bucket": NAMES.bucket("ingest"), "key": "recorded/no.png"}, "recorded/no.png"),
        (event_for(NAMES.bucket("ingest"), "recorded/none.png"), "recorded/none.png"),
        ({"bucket": "", "key": "recorded/no.png"}, None),
        ({"bucket": NAMES.bucket("ingest"), "key": ""}, None),
        ({"bucket": 1, "key": ["x"]}, None),
        ({"detail": {"bucket": "x", "object": [{"key": "x"}]}}, None),
        ({"detail-type": "x", "detail": None}, None),
        ("recorded/no.png", None),
        ([], None),
        (None, None),
    ],
)
def test_what_was_refused_has_the_name_of_its_object_if_its_input_has_one(
    driver: Driver, given: object, source: str | None
) -> None:
    refused = driver.start(given)
    recording = driver.recording_of(refused)

    row = driver.record(name_of(refused))
    assert recording.status == "SUCCEEDED"
    assert (row["status"], row["error"]) == ("QUARANTINED", refused.error)
    assert row.get("key") == source
    assert ("bucket" in row) == (source is not None)


def test_a_job_that_another_execution_has_by_now_is_left_to_it(driver: Driver) -> None:
    key = "recorded/taken.png"
    job_id = driver.drop(png(square()), key).output["job_id"]
    dynamodb = driver.cloud.client("dynamodb")

    def take_over() -> None:
        dynamodb.update_item(
            TableName=NAMES.table("jobs"),
            Key={"job_id": {"S": job_id}},
            UpdateExpression="SET #execution = :other",
            ExpressionAttributeNames={"#execution": "execution"},
            ExpressionAttributeValues={":other": {"S": "another one"}},
        )

    driver.faults.before(WEIGHTS_ARE_LISTED, take_over)
    with driver.faults.outage(rf"PUT /{NAMES.bucket('work')}/.*/mask.png"):
        execution = driver.start({"bucket": NAMES.bucket("ingest"), "key": key, "force": True})
    driver.recording_of(execution)

    row = row_of(driver, key)
    assert (row["status"], row["execution"]) == ("RUNNING", "another one")
    assert driver.record(name_of(execution))["error"] == "StoreUnavailable"


def test_a_job_claimed_after_a_redrive_is_recorded_beside_what_was_before_it(
    driver: Driver,
) -> None:
    """What failed before its claim has a record by its name; once redriven it has a job as well."""
    key = "recorded/twice.png"
    execution = driver.drop(png(square()), key, model="buggy")
    told = driver.recording_of(execution)
    job = row_of(driver, key)
    dynamodb, table = driver.cloud.client("dynamodb"), NAMES.table("jobs")
    record = {"job_id": name_of(execution), "status": "RUNNING", "execution": execution.arn}
    dynamodb.put_item(TableName=table, Item={name: {"S": text} for name, text in record.items()})
    dynamodb.update_item(
        TableName=table,
        Key={"job_id": {"S": job["job_id"]}},
        UpdateExpression="SET #status = :running",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":running": {"S": "RUNNING"}},
    )

    driver.record_failure(told.input)

    assert row_of(driver, key)["status"] == "FAILED"
    assert driver.record(name_of(execution))["status"] == "FAILED"


def test_an_end_that_is_told_after_the_job_was_held_for_a_redrive_is_not_recorded(
    driver: Driver,
) -> None:
    site = local_site(NAMES, driver.cloud.endpoint, driver.cloud.blueprint.products)
    with driver.faults.outage(rf"PUT /{NAMES.bucket('work')}/.*/mask.png"):
        execution = driver.drop(png(square()), "recorded/resumed.png")
    told = driver.recording_of(execution)
    ended = find_execution(site, execution.arn)
    row = JobsTable(site).of_execution(execution.arn)
    assert ended is not None
    assert row is not None
    assert ended.ended is not None
    assert JobsTable(site).hold(row, after=ended.ended, until=datetime.now(UTC) + HOUR)

    late = driver.record_failure(told.input)
    held = row_of(driver, "recorded/resumed.png")
    told.input["detail"]["stopDate"] += 1_000
    driver.record_failure(told.input)

    assert last_recorded(driver, late) == "RecordedBefore"
    assert held["status"] == "RUNNING"
    assert row_of(driver, "recorded/resumed.png")["status"] == "FAILED"


def name_of(execution: Execution) -> str:
    return execution.arn.rpartition(":")[2]


@contextmanager
def timeout_s(driver: Driver, seconds: int) -> Iterator[None]:
    """The cutout machine with another TimeoutSeconds."""
    states, arn = driver.cloud.client("stepfunctions"), NAMES.machine_arn("cutout")
    definition = states.describe_state_machine(stateMachineArn=arn)["definition"]
    hurried = json.dumps(json.loads(definition) | {"TimeoutSeconds": seconds})
    states.update_state_machine(stateMachineArn=arn, definition=hurried)
    try:
        yield
    finally:
        states.update_state_machine(stateMachineArn=arn, definition=definition)


def until_nothing_runs(driver: Driver) -> None:
    arn = driver.running()
    states = driver.cloud.client("stepfunctions")
    deadline = time.monotonic() + PATIENCE_S
    while states.describe_execution(executionArn=arn)["status"] == "RUNNING":
        assert time.monotonic() < deadline, f"{arn} does not end"
        time.sleep(0.02)
