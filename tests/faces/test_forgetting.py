"""A photo that is deleted takes the files of its faces with it, whenever that happens."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

import pytest

from pipeline.local.deployment import NAMES
from pipeline.operations.executions import Execution
from pipeline.session.watching import describe
from tests.calm import wait_for_calm
from tests.execution.driver import PATIENCE_S
from tests.faces.stubs.script import Script
from tests.faces.user import People

INGEST, OUTPUT = NAMES.bucket("ingest"), NAMES.bucket("output")
SSD, EMBEDDER = "face-api-ssd", "face-api-resnet34"
EVERYTHING = {"preview": "true", "redact": "blur", "embed": "true"}


def stored(people: People, bucket: str, prefix: str) -> list[str]:
    """Return the keys of all versions and delete markers below a prefix."""
    listed = people.driver.s3.list_object_versions(Bucket=NAMES.bucket(bucket), Prefix=prefix)
    return sorted(
        row["Key"] for row in (*listed.get("Versions", ()), *listed.get("DeleteMarkers", ()))
    )


def forgotten(people: People, key: str) -> list[Execution]:
    """Return the executions that forgot a photo, once all have ended."""
    wait_for_calm(people.driver.cloud, patience_s=PATIENCE_S)
    states = people.driver.cloud.client("stepfunctions")
    rows = states.list_executions(stateMachineArn=NAMES.machine_arn("forget-photo"))["executions"]
    found = [describe(states, row["executionArn"]) for row in rows]
    return [each for each in found if each.input["detail"]["object"]["key"] == key]


def deleted(people: People, key: str, **version: str) -> Any:
    """Delete a photo, and return the receipt of what went with it."""
    people.driver.s3.delete_object(Bucket=INGEST, Key=key, **version)
    deadline = time.monotonic() + PATIENCE_S
    while not (found := forgotten(people, key)):
        assert time.monotonic() < deadline, "no event of the deletion arrived"
    (execution,) = found
    assert execution.status == "SUCCEEDED"
    return execution.output


def test_a_deleted_photo_takes_everything_with_it(people: People) -> None:
    done = people.ask(Script(padding="gone").photo(), "gone/us.png", **EVERYTHING)
    job = done.output["job_id"]
    assert len(stored(people, "output", "gone/us_faces")) == 6

    receipt = deleted(people, "gone/us.png")

    enrolled = {"vectors": 0, "collections": 0}
    assert receipt == {
        "jobs": 1, "running": 0, "files": 6, "work_files": 5, "enrolled": enrolled,
    }  # fmt: skip
    assert stored(people, "output", "gone/") == []
    assert people.driver.keys("work", prefix=f"faces/{job}") == []
    assert people.driver.record(job)["status"] == "DELETED"


def test_a_version_that_is_deleted_for_good_takes_everything_with_it(people: People) -> None:
    people.ask(Script(padding="version").photo(), "version/us.png")
    version = people.driver.s3.head_object(Bucket=INGEST, Key="version/us.png")["VersionId"]

    assert deleted(people, "version/us.png", VersionId=version)["files"] == 2
    assert stored(people, "output", "version/") == []


def test_a_cutout_of_the_same_photo_stays(people: People) -> None:
    """A drop below a prefix makes both; only faces follow their photo."""
    people.drop(Script(padding="both").photo(), "people/both.png")
    assert "_faces.json" in people.published("people/both")
    cutout = people.executions("people/both.png")["cutout"]

    deleted(people, "people/both.png")

    left = stored(people, "output", "people/both")
    assert not any("_faces" in key for key in left)
    if cutout.status == "SUCCEEDED":
        assert "people/both_bg_removed.json" in left


@pytest.mark.parametrize("model", [SSD, EMBEDDER])
def test_a_photo_that_is_deleted_while_its_job_is_at_work_leaves_nothing(
    people: People, model: str
) -> None:
    script = Script(deletes=model, padding="at work")

    refused = people.ask(script.photo(), f"at-work/{model}.png", embed="true")

    assert (refused.verdict, refused.error) == ("QUARANTINED", "SourceMissing")
    reason = people.driver.reason(refused)
    forgotten(people, f"at-work/{model}.png")
    assert stored(people, "output", "at-work/") == []
    assert people.driver.keys("work", prefix=f"faces/{reason['job']['job_id']}/") == []


def test_a_photo_that_is_deleted_between_its_last_task_and_its_record_leaves_nothing(
    people: People,
) -> None:
    """Here its event does not arrive at all: the machine looks for the photo itself."""
    key, machine = "last/us.png", NAMES.machine("forget-photo")
    events = people.driver.cloud.client("events")
    (target,) = events.list_targets_by_rule(Rule=machine)["Targets"]
    events.remove_targets(Rule=machine, Ids=[target["Id"]])
    people.driver.faults.before(
        rf"PUT /{OUTPUT}/last/us_faces.record.json",
        lambda: people.driver.s3.delete_object(Bucket=INGEST, Key=key),
    )
    try:
        refused = people.ask(Script(padding="last").photo(), key)
    finally:
        events.put_targets(Rule=machine, Targets=[target])

    assert (refused.verdict, refused.error) == ("QUARANTINED", "SourceMissing")
    assert "deleted" in people.driver.reason(refused)["message"]
    (execution,) = forgotten(people, key)
    assert execution.output["files"] == 2
    assert stored(people, "output", "last/") == []
    assert "Announce" not in people.driver.states_of(refused)


@pytest.mark.parametrize(
    "key",
    [
        'odd/ä b+c&d=e?#%20"é" 猫.png',
        "odd/.png",
        "odd/no extension",
        "odd/two.dots.png",
        f"odd/{'long' * 250}.png",
    ],
)
def test_a_photo_of_any_key_takes_its_faces_with_it(people: People, key: str) -> None:
    job = people.ask(Script(padding=key).photo(), key).output["job_id"]
    assert len(stored(people, "output", "odd/")) == 2

    assert deleted(people, key)["files"] == 2

    assert stored(people, "output", "odd/") == []
    assert people.driver.record(job)["status"] == "DELETED"


def test_of_two_photos_that_share_their_outputs_the_one_that_stays_keeps_its_own(
    people: People,
) -> None:
    people.ask(Script(padding="png").photo(), "shared/us.png", preview="true", embed="true")
    kept = people.ask(Script(padding="jpg").photo(), "shared/us.jpg", preview="true")
    assert len(stored(people, "output", "shared/")) == 8

    deleted(people, "shared/us.png")

    left = ["us_faces.json", "us_faces.record.json", "us_faces_preview.jpg"]
    assert stored(people, "output", "shared/") == [f"shared/{each}" for each in left]
    record = people.record("shared/us.jpg")
    assert record["job_id"] == kept.output["job_id"]
    for file in record["files"]:
        content = people.driver.read(file["uri"])
        assert hashlib.sha256(content).hexdigest() == file["sha256"]


def test_a_photo_uploaded_over_a_deleted_one_starts_with_nothing_of_it(people: People) -> None:
    people.ask(Script(padding="before").photo(), "again/us.png", **EVERYTHING)
    people.driver.s3.delete_object(Bucket=INGEST, Key="again/us.png")
    people.ask(Script(padding="after").photo(), "again/us.png")
    forgotten(people, "again/us.png")

    left = ["again/us_faces.json", "again/us_faces.record.json"]
    assert stored(people, "output", "again/") == left


@pytest.mark.parametrize("end", ["_faces.json", "_faces.record.json"])
def test_a_job_that_failed_while_it_published_leaves_nothing_after_its_photo(
    people: People, end: str
) -> None:
    """Nor does a replay bring anything back."""
    key = f"failed/{end}/us.png"
    with people.driver.faults.outage(rf"PUT /{OUTPUT}/failed/{end}/us{end}"):
        failed = people.ask(Script(padding=key).photo(), key, preview="true")
    assert failed.status == "FAILED"
    # Files are copied side by side, so the preview may have come before the failure, or not.
    preview = f"failed/{end}/us_faces_preview.jpg"
    people.driver.s3.put_object(Bucket=OUTPUT, Key=preview, Body=b"as copied")
    assert stored(people, "output", "failed/") != []

    deleted(people, key)
    assert stored(people, "output", "failed/") == []
    (row,) = people.driver.records_of(key)
    assert people.driver.keys("work", prefix=f"faces/{row['job_id']}/") == []

    again = people.start(key, options={"preview": True}, force=True)
    assert (again.verdict, again.error) == ("QUARANTINED", "SourceMissing")
    assert stored(people, "output", "failed/") == []


def test_what_is_said_of_a_deletion_is_counts(people: People) -> None:
    people.ask(Script(padding="counts").photo(), "counts/us.png", embed="true")
    receipt = deleted(people, "counts/us.png")

    (execution,) = forgotten(people, "counts/us.png")
    said = json.dumps(people.driver._history(execution, "stateExitedEventDetails"), default=str)
    assert set(receipt) == {"jobs", "running", "files", "work_files", "enrolled"}
    assert "_faces" not in said
