"""Runs of collections have rows: the recorder, the reaper, the audit and operators know them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.local.deployment import NAMES
from pipeline.operations.auditing import audit
from pipeline.operations.jobs_table import JobRow, JobsTable
from pipeline.operations.lookup import Wanted, find_job, find_rows
from pipeline.operations.repairing import GONE, repair
from pipeline.operations.replaying import Changes, replay
from pipeline.operations.site import Site
from pipeline.operations.verdicts import STUCK
from tests.execution.driver import Driver
from tests.execution.operating import outcome
from tests.faces.collecting import COLLECTION, Runs
from tests.faces.user import People

NOW = timedelta(0)


@pytest.fixture
def runs(driver: Driver) -> Runs:
    return Runs(driver)


def row_of(site: Site, name: str) -> JobRow:
    row = JobsTable(site).row(name)
    assert row is not None
    return row


def leave_running(driver: Driver, name: str, execution: str) -> None:
    facts = {
        "job_id": name, "status": "RUNNING", "execution": execution, "product": COLLECTION,
        "machine": COLLECTION, "updated_at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    driver.cloud.client("dynamodb").put_item(
        TableName=NAMES.table("jobs"), Item={key: {"S": text} for key, text in facts.items()}
    )


def test_a_run_that_is_stopped_is_recorded(runs: Runs, driver: Driver, site: Site) -> None:
    states = driver.cloud.client("stepfunctions")
    head = rf"PUT /{NAMES.bucket('collections')}/collections/stopped/head.json"

    def stop() -> None:
        arn = NAMES.machine_arn(COLLECTION)
        (row,) = states.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]
        states.stop_execution(executionArn=row["executionArn"], error="Enough", cause="of it")

    driver.faults.before(head, stop)
    stopped = runs.create("stopped")
    assert stopped.status == "ABORTED"
    driver.recording_of(stopped)

    row = row_of(site, stopped.name)
    assert (row.status, row.error) == ("FAILED", "ABORTED")
    assert (row.product, row.machine, row.unclaimed) == (COLLECTION, COLLECTION, False)


def test_a_run_that_failed_before_its_claim_has_a_row_of_its_machine(
    driver: Driver, site: Site
) -> None:
    name = "never-claimed"
    detail = {
        "executionArn": NAMES.execution_arn(COLLECTION, name), "name": name, "status": "TIMED_OUT",
        "stateMachineArn": NAMES.unqualified_machine_arn(COLLECTION), "stopDate": 1, "input": "[]",
    }  # fmt: skip

    driver.record_failure({"detail": detail})

    row = row_of(site, name)
    assert (row.status, row.error) == ("FAILED", "TIMED_OUT")
    assert (row.product, row.machine) == (COLLECTION, COLLECTION)


def test_a_run_whose_execution_is_gone_is_closed_by_the_reaper(driver: Driver, site: Site) -> None:
    leave_running(driver, "reaped-run", NAMES.execution_arn(COLLECTION, "reaped-run"))

    driver.reap()

    row = row_of(site, "reaped-run")
    assert (row.status, row.error, row.machine) == ("FAILED", GONE, COLLECTION)


def test_a_running_run_is_left_alone_by_the_reaper(runs: Runs, driver: Driver, site: Site) -> None:
    done = runs.create("left-alone")
    leave_running(driver, "left-alone-run", done.arn)  # as if its end were not recorded yet

    driver.reap()

    assert row_of(site, "left-alone-run").status == "RUNNING"
    JobsTable(site).finish(row_of(site, "left-alone-run"))


def test_an_audit_finds_nothing_wrong_with_a_run_but_that_it_is_stuck(
    runs: Runs, driver: Driver, people: People, site: Site
) -> None:
    since = datetime.now(UTC)
    done = runs.create("audited")
    leave_running(driver, "stuck-run", NAMES.execution_arn(COLLECTION, "stuck-run"))
    people.wait()

    found = audit(site, since, patience=NOW)
    repair(site, found.findings[0])

    assert [(each.kind, each.what) for each in found.findings] == [(STUCK, "stuck-run")]
    assert row_of(site, "stuck-run").status == "FAILED"
    assert row_of(site, done.name).status == "DONE"
    assert audit(site, since, patience=NOW).findings == []


def test_a_run_is_found_and_replayed_once_its_cause_is_mended(
    runs: Runs, driver: Driver, site: Site
) -> None:
    refused = runs.ask(action="compact", collection="mended")
    runs.create("mended")
    job = find_job(site, refused.name)
    assert job is not None

    replayed = replay(site, job, Changes())

    assert outcome(driver, site, replayed) == "DONE"
    rows = {row.job_id: row.status for row in find_rows(site, Wanted(product=COLLECTION))}
    assert rows[refused.name] == "QUARANTINED"
