"""What the machines write into the jobs table agrees with what a claim reads there."""

from __future__ import annotations

import json
import re

import pytest

from pipeline.contracts.contract import FOREVER
from pipeline.declared.resources import load_resources
from pipeline.operations.repairing import GONE
from tests.conftest import ROOT

FOLDER = ROOT / "state_machines"
STATES = json.loads((FOLDER / "cutout.asl.json").read_text())["States"]
RECORDER = json.loads((FOLDER / "record-failure.asl.json").read_text())["States"]
FROM_OUTSIDE = RECORDER["EachRow"]["ItemProcessor"]["States"]
REAPER = json.loads((FOLDER / "reap-jobs.asl.json").read_text())["States"]


@pytest.mark.parametrize(
    ("state", "status", "held_until"),
    [
        ("Record", "DONE", str(FOREVER)),
        ("RecordQuarantine", "QUARANTINED", "0"),
        ("RecordFailure", "FAILED", "0"),
    ],
)
def test_how_long_an_ended_job_is_held(state: str, status: str, held_until: str) -> None:
    values = STATES[state]["Parameters"]["ExpressionAttributeValues"]

    assert values[":status"] == {"S": status}
    assert values[":held_until"] == {"N": held_until}


def test_a_claim_compares_attributes_only_with_values() -> None:
    """DynamoDB may refuse a comparison that names no attribute."""
    condition = STATES["Claim"]["Parameters"]["ConditionExpression"]

    assert condition == (
        "attribute_not_exists(job_id) OR #held_until < :claims_before OR #execution = :execution"
    )


def test_a_claim_is_released_only_as_it_was_read() -> None:
    """Of two executions that find no result, only one claims the job again."""
    release = STATES["ReleaseFirst"]["Parameters"]
    values = release["ExpressionAttributeValues"]

    assert release["ConditionExpression"] == "#execution = :first AND #status = :status"
    assert values[":first"] == {"S.$": "$.duplicate.first.execution"}
    assert values[":status"] == {"S.$": "$.duplicate.first.status"}
    assert values[":held_until"] == {"N": "0"}


def test_a_done_job_keeps_no_error_of_an_earlier_try() -> None:
    assert STATES["Record"]["Parameters"]["UpdateExpression"].endswith("REMOVE #error, #reason")


def test_a_failure_is_recorded_from_outside_as_the_execution_itself_would() -> None:
    inside, outside = (
        states["RecordFailure"]["Parameters"]["ExpressionAttributeValues"]
        for states in (STATES, FROM_OUTSIDE)
    )

    assert inside.keys() < outside.keys()
    assert [outside[name] for name in (":status", ":held_until", ":updated_at")] == [
        inside[name] for name in (":status", ":held_until", ":updated_at")
    ]


def test_only_what_still_runs_for_that_very_execution_is_overwritten_from_outside() -> None:
    written = FROM_OUTSIDE["RecordFailure"]["Parameters"]

    assert written["ConditionExpression"] == (
        "attribute_not_exists(job_id) OR (#execution = :execution AND #status = :running"
        " AND (attribute_not_exists(#resumed_after) OR #resumed_after < :ended_at))"
    )
    assert written["ExpressionAttributeValues"][":running"] == {"S": "RUNNING"}


@pytest.mark.parametrize("state", ["Record", "RecordQuarantine", "RecordFailure"])
def test_an_execution_records_its_own_end_whatever_its_row_says(state: str) -> None:
    """One that was redriven in the console holds no job, and its row still says FAILED."""
    written = STATES[state]["Parameters"]

    assert (
        written["ConditionExpression"] == "attribute_not_exists(job_id) OR #execution = :execution"
    )


def test_the_index_that_is_asked_is_declared_and_asked_by_its_attribute() -> None:
    asked = RECORDER["FindJob"]["Parameters"]
    table = load_resources(ROOT).tables["jobs"]

    index = table.indexes[asked["IndexName"]]
    assert index.attribute == asked["ExpressionAttributeNames"]["#execution"]


def test_what_a_reaper_reads_of_a_job_is_in_the_index_it_asks() -> None:
    asked = REAPER["FindRunning"]["Parameters"]
    index = load_resources(ROOT).tables["jobs"].indexes[asked["IndexName"]]
    closing = json.dumps(REAPER["CloseDead"]["ItemProcessor"])

    assert index.attribute == asked["ExpressionAttributeNames"]["#status"]
    assert set(re.findall(r"\$\.job\.(\w+)", closing)) == {"job_id", *index.copied}


def test_an_execution_that_is_gone_has_one_name_whoever_finds_it() -> None:
    said = REAPER["CloseDead"]["ItemProcessor"]["States"]["SayGone"]["Parameters"]["told"]

    assert said["Error"] == GONE
