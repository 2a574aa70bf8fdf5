"""What an operator does, on a running cloud: find, understand, run again, audit, repair."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.local.deployment import NAMES
from pipeline.operations.auditing import audit
from pipeline.operations.executions import find_execution
from pipeline.operations.findings import LOST, STUCK, UNPUBLISHED, UNRECORDED, Finding, repair
from pipeline.operations.history import read_history
from pipeline.operations.jobs_table import JobRow, JobsTable
from pipeline.operations.lookup import Wanted, find_job, find_rows
from pipeline.operations.published import read_reason, refused_key
from pipeline.operations.redriving import redrive
from pipeline.operations.repairing import GONE
from pipeline.operations.replaying import Changes, Replay, replay
from pipeline.operations.site import Site, local_site
from tests.execution.driver import Driver
from tests.pictures import png, square

NOW = timedelta(0)
Write = Callable[..., None]


@pytest.fixture
def site(driver: Driver) -> Site:
    return local_site(NAMES, driver.cloud.endpoint)


@pytest.fixture
def rewrite(driver: Driver) -> Write:
    """Puts something else into a row: what a fault at the wrong moment leaves behind."""

    def write(job_id: str, **attributes: str) -> None:
        driver.cloud.client("dynamodb").update_item(
            TableName=NAMES.table("jobs"),
            Key={"job_id": {"S": job_id}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            ExpressionAttributeNames={f"#{name}": name for name in attributes},
            ExpressionAttributeValues={
                f":{name}": {"S": text} for name, text in attributes.items()
            },
        )

    return write


def row_of(site: Site, key: str) -> JobRow:
    (row,) = (row for row in JobsTable(site).rows() if row.key == key)
    return row


def outcome(driver: Driver, site: Site, replayed: Replay) -> str:
    driver.wait_until_ended(replayed.execution)
    execution = find_execution(site, replayed.execution)
    assert execution is not None
    return execution.verdict


def test_a_job_is_found_by_its_id_its_executions_name_and_its_arn(
    driver: Driver, site: Site
) -> None:
    execution = driver.drop(png(square()), "found/cat.png")

    names = [execution.output["job_id"], execution.name, execution.arn]
    rows = [job.row for job in (find_job(site, name) for name in names) if job]

    assert [row.key for row in rows if row] == ["found/cat.png"] * 3
    assert find_job(site, "nobody") is None


def test_jobs_are_listed_latest_first_by_state_error_and_time(driver: Driver, site: Site) -> None:
    before = datetime.now(UTC)
    driver.drop(png(square()), "listed/good.png")
    driver.drop(png(square()), "listed/hungry.png", model="hungry")

    rows = list(find_rows(site, Wanted(since=before)))
    failed = list(find_rows(site, Wanted(status="FAILED", error="OutOfMemory", since=before)))

    assert [row.key for row in rows] == ["listed/hungry.png", "listed/good.png"]
    assert [row.key for row in failed] == ["listed/hungry.png"]


def test_the_history_says_which_state_failed_of_what_and_how_often(
    driver: Driver, site: Site
) -> None:
    with driver.faults.outage(rf"GET /{NAMES.bucket('work')}/.*/mask.png", times=3):
        execution = driver.drop(png(square()), "told/cat.png")

    told = {visit.state: visit.words for visit in read_history(site, execution.arn)}

    assert told["RefineEdges"].startswith("StoreUnavailable, then ")
    assert told["Claim"].endswith(" ms")


def test_a_failed_job_is_replayed_once_however_often_it_is_asked(
    driver: Driver, site: Site
) -> None:
    driver.drop(png(square()), "replayed/cat.png", model="hungry")
    row = row_of(site, "replayed/cat.png")

    first, second = (replay(site, row, Changes()) for _ in range(2))

    assert first.execution == second.execution != ""
    assert outcome(driver, site, first) == "FAILED"
    assert row_of(site, "replayed/cat.png").execution == first.execution


def test_a_replay_may_have_other_options(driver: Driver, site: Site) -> None:
    driver.drop(png(square()), "mended/cat.png", model="u3net")
    (row,) = (row for row in find_rows(site, Wanted(error="UnknownModel"))
              if refused_key(read_reason(site, row)) == "mended/cat.png")  # fmt: skip

    released = replay(site, row, Changes(options={"model": "brightness"}))

    assert outcome(driver, site, released) == "DONE"
    record = JobsTable(site).row(row.job_id)
    assert record is not None
    assert (record.status, record.released) == ("QUARANTINED", True)
    assert read_reason(site, record)["error"] == "UnknownModel"


def test_what_is_done_is_replayed_only_by_force(driver: Driver, site: Site) -> None:
    driver.drop(png(square()), "again/done.png")
    row = row_of(site, "again/done.png")

    refused = replay(site, row, Changes())
    forced = replay(site, row, Changes(force=True))

    assert (refused.execution, refused.refused) == ("", "it is done; --force runs it again")
    assert outcome(driver, site, forced) == "DONE"


def test_a_dry_run_starts_nothing(driver: Driver, site: Site) -> None:
    driver.drop(png(square()), "dry/cat.png", model="hungry")
    row = row_of(site, "dry/cat.png")

    assert replay(site, row, Changes(), dry_run=True) == Replay(row)
    assert row_of(site, "dry/cat.png") == row


def test_the_reason_names_the_command_that_releases_it(driver: Driver, site: Site) -> None:
    execution = driver.drop(b"Dear diary", "commanded/diary.jpg")

    reason = driver.reason(execution)

    assert reason["link"].endswith(execution.arn)
    assert reason["replay"]["command"] == (
        f"matteline quarantine release {execution.name} --stage local"
    )
    job = find_job(site, execution.name)
    assert job is not None
    assert job.row is not None
    assert job.row.status == "QUARANTINED"


def test_the_local_cloud_says_that_it_has_no_redrive(driver: Driver, site: Site) -> None:
    execution = driver.drop(png(square()), "redriven/cat.png", model="buggy")
    job = find_job(site, execution.name)

    assert job is not None
    assert "jobs replay" in redrive(site, job)


def test_a_job_whose_execution_is_gone_is_stuck_until_it_is_closed(
    driver: Driver, site: Site, rewrite: Write
) -> None:
    job_id = driver.drop(png(square()), "gone/cat.png").output["job_id"]
    gone = NAMES.execution_arn("cutout", "nobody-knows-it")
    rewrite(job_id, status="RUNNING", execution=gone)

    (finding,) = _findings(site, job_id)
    repair(site, finding)

    row = row_of(site, "gone/cat.png")
    assert finding.kind == STUCK
    assert (row.status, row.error) == ("FAILED", GONE)


def test_a_job_that_moved_on_since_the_audit_is_left_alone(
    driver: Driver, site: Site, rewrite: Write
) -> None:
    job_id = driver.drop(png(square()), "moved/cat.png").output["job_id"]
    own = row_of(site, "moved/cat.png").execution
    rewrite(job_id, status="RUNNING", execution=NAMES.execution_arn("cutout", "gone"))
    (finding,) = _findings(site, job_id)
    rewrite(job_id, status="DONE", execution=own)

    told = repair(site, finding)

    assert told == "it has moved on by itself"
    assert row_of(site, "moved/cat.png").status == "DONE"


def test_a_cutout_published_by_an_execution_that_then_failed_is_recorded(
    driver: Driver, site: Site, rewrite: Write
) -> None:
    job_id = driver.drop(png(square()), "unsaid/cat.png").output["job_id"]
    rewrite(job_id, status="FAILED", error="ABORTED")

    (finding,) = _findings(site, job_id)
    repair(site, finding)

    assert finding.kind == UNRECORDED
    assert row_of(site, "unsaid/cat.png").status == "DONE"
    assert _findings(site, job_id) == []


def test_a_finished_job_without_its_manifest_is_left_for_a_person(
    driver: Driver, site: Site
) -> None:
    job_id = driver.drop(png(square()), "unpublished/cat.png").output["job_id"]
    driver.s3.delete_object(Bucket=NAMES.bucket("output"), Key="unpublished/cat_bg_removed.json")

    (finding,) = _findings(site, job_id)

    assert finding.kind == UNPUBLISHED
    assert repair(site, finding) == "left for a person"


def test_a_younger_object_than_patience_may_still_be_waiting(driver: Driver, site: Site) -> None:
    events = driver.cloud.client("events")
    rule = NAMES.machine("cutout")
    (target,) = events.list_targets_by_rule(Rule=rule)["Targets"]
    events.remove_targets(Rule=rule, Ids=[target["Id"]])
    driver.put(png(square()), "waiting/cat.png")
    events.put_targets(Rule=rule, Targets=[target])
    since = datetime.now(UTC) - timedelta(minutes=5)

    patient = audit(site, since, patience=timedelta(minutes=5))
    strict = audit(site, since, patience=NOW)

    (lost,) = (finding for finding in strict.findings if finding.kind == LOST)
    assert patient.states["WAITING"] == 1
    assert lost.what == f"s3://{NAMES.bucket('ingest')}/waiting/cat.png"
    driver.wait_until_ended(repair(site, lost).removeprefix("started "))
    assert row_of(site, "waiting/cat.png").status == "DONE"


def _findings(site: Site, job_id: str) -> list[Finding]:
    told = audit(site, datetime.now(UTC) - timedelta(minutes=10), patience=NOW)
    return [finding for finding in told.findings if finding.what == job_id]


def test_the_recorded_input_is_what_is_started_again(driver: Driver, site: Site) -> None:
    typed = {"bucket": NAMES.bucket("ingest"), "key": "typed/none.png", "options": {"crop": True}}
    execution = driver.start(typed)
    job = find_job(site, execution.name)
    assert job is not None
    assert job.row is not None

    again = replay(site, job.row, Changes())
    driver.wait_until_ended(again.execution)

    started = find_execution(site, again.execution)
    assert started is not None
    assert json.dumps(started.input, sort_keys=True) == json.dumps(typed, sort_keys=True)
