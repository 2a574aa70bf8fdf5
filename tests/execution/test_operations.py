"""What an operator does, on a running cloud: find, understand, run again."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime

import pytest

from pipeline.local.deployment import NAMES
from pipeline.operations.executions import find_execution
from pipeline.operations.history import read_history
from pipeline.operations.jobs_table import JobRow, JobsTable
from pipeline.operations.lookup import (
    Wanted,
    find_job,
    find_rows,
    job_of,
    quarantined_key,
    read_reason,
)
from pipeline.operations.redriving import NotRedriven, redrive
from pipeline.operations.replaying import Changes, Replay, replay
from pipeline.operations.site import Site
from tests.execution.driver import PATIENCE_S, Driver
from tests.execution.operating import outcome, row_of
from tests.pictures import png, square


def test_a_job_is_found_by_its_id_its_executions_name_and_its_arn(
    driver: Driver, site: Site
) -> None:
    execution = driver.drop(png(square()), "found/cat.png")

    names = [execution.output["job_id"], execution.name, execution.arn]
    rows = [job.row for job in (find_job(site, name) for name in names) if job]

    assert [row.key for row in rows if row] == ["found/cat.png"] * 3
    assert find_job(site, "nobody") is None


@pytest.mark.parametrize("recorded_by_its_name", [False, True])
def test_an_execution_whose_job_another_has_taken_over_is_found_with_that_job(
    driver: Driver, site: Site, *, recorded_by_its_name: bool
) -> None:
    key = f"overtaken/{recorded_by_its_name}.png"
    with driver.faults.outage(rf"PUT /{NAMES.bucket('work')}/.*/mask.png"):
        first = driver.drop(png(square()), key)
    driver.recording_of(first)
    second = driver.drop(png(square()), key)
    if recorded_by_its_name:  # the recorder came when the other one had the job
        JobsTable(site).close(
            JobRow(first.name, "FAILED", first.arn, datetime.now(UTC)), error="E", reason="r"
        )

    for name in (first.name, first.arn):
        job = find_job(site, name)
        assert job is not None
        assert job.row is not None
        assert job.asked is not None
        assert job.latest is not None
        assert (job.row.status, job.row.execution) == ("DONE", second.arn)
        assert (job.asked.arn, job.latest.arn) == (first.arn, second.arn)


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
    asked = threading.Event()

    def until_asked() -> None:
        asked.wait(PATIENCE_S)

    driver.faults.before(rf"GET /{NAMES.bucket('models')}", until_asked)

    first, second = (replay(site, job_of(site, row), Changes()) for _ in range(2))
    asked.set()

    assert first.started == second.started is not None
    assert outcome(driver, site, first) == "FAILED"
    assert row_of(site, "replayed/cat.png").execution == first.started


def test_what_was_released_and_refused_again_is_released_once_more(
    driver: Driver, site: Site
) -> None:
    execution = driver.drop(b"Dear diary", "released/diary.jpg")
    row = JobsTable(site).of_execution(execution.arn)
    assert row is not None
    first = replay(site, job_of(site, row), Changes())
    outcome(driver, site, first)

    second, third = (replay(site, job_of(site, row), Changes()) for _ in range(2))

    assert outcome(driver, site, second) == "QUARANTINED"
    assert first.started != second.started
    assert (second.refused, third.refused) == (None, None)


def test_a_replay_may_have_other_options(driver: Driver, site: Site) -> None:
    driver.drop(png(square()), "mended/cat.png", model="u3net")
    (row,) = (row for row in find_rows(site, Wanted(error="UnknownModel"))
              if quarantined_key(read_reason(site, row)) == "mended/cat.png")  # fmt: skip

    released = replay(site, job_of(site, row), Changes(options={"model": "brightness"}))

    assert outcome(driver, site, released) == "DONE"
    record = JobsTable(site).row(row.job_id)
    assert record is not None
    assert (record.status, record.released) == ("QUARANTINED", True)
    assert read_reason(site, record)["error"] == "UnknownModel"


def test_a_photo_that_was_replaced_since_is_not_started_again_with_other_options(
    driver: Driver, site: Site
) -> None:
    refused = driver.drop(png(square(left=8)), "superseded/cat.png", model="u3net")
    latest = driver.drop(png(square(left=56)), "superseded/cat.png")
    job = find_job(site, refused.name)
    assert job is not None

    replayed = replay(site, job, Changes(options={"model": "brightness"}))

    assert replayed.started is None
    assert "was replaced or deleted; upload it again" in str(replayed.refused)
    assert row_of(site, "superseded/cat.png").execution == latest.arn


def test_what_is_done_is_replayed_only_by_force(driver: Driver, site: Site) -> None:
    driver.drop(png(square()), "again/done.png")
    row = row_of(site, "again/done.png")

    refused = replay(site, job_of(site, row), Changes())
    forced = replay(site, job_of(site, row), Changes(force=True))

    assert refused == Replay(row, refused="it is done; use --force to run it again")
    assert outcome(driver, site, forced) == "DONE"


def test_a_forced_replay_of_an_upload_follows_its_latest_version(
    driver: Driver, site: Site
) -> None:
    driver.drop(png(square(left=8)), "follow/cat.png")
    row = row_of(site, "follow/cat.png")

    replayed = replay(site, job_of(site, row), Changes(force=True))

    outcome(driver, site, replayed)
    execution = find_execution(site, str(replayed.started))
    assert execution is not None
    assert execution.input == {
        "bucket": NAMES.bucket("ingest"), "key": "follow/cat.png", "force": True
    }  # fmt: skip


def test_a_dry_run_starts_nothing(driver: Driver, site: Site) -> None:
    driver.drop(png(square()), "dry/cat.png", model="hungry")
    row = row_of(site, "dry/cat.png")

    assert replay(site, job_of(site, row), Changes(), dry_run=True) == Replay(row)
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
    with pytest.raises(NotRedriven, match="jobs replay"):
        redrive(site, job)


def test_the_recorded_input_is_what_is_started_again(driver: Driver, site: Site) -> None:
    typed = {"bucket": NAMES.bucket("ingest"), "key": "typed/none.png", "options": {"crop": True}}
    execution = driver.start(typed)
    job = find_job(site, execution.name)
    assert job is not None

    again = replay(site, job, Changes())
    outcome(driver, site, again)

    started = find_execution(site, str(again.started))
    assert started is not None
    assert json.dumps(started.input, sort_keys=True) == json.dumps(typed, sort_keys=True)
