"""Operators find, replay, audit, close and backfill jobs of faces as those of other products."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.local.deployment import NAMES
from pipeline.operations.auditing import audit
from pipeline.operations.jobs_table import JobsTable
from pipeline.operations.lookup import Wanted, find_job, find_rows
from pipeline.operations.repairing import repair
from pipeline.operations.replaying import Changes, replay
from pipeline.operations.site import Site
from pipeline.operations.verdicts import LOST
from tests.execution.driver import Driver
from tests.execution.operating import outcome, row_of
from tests.faces.stubs.script import UNTIL_REPLAYED, Script
from tests.faces.user import People

SSD = "face-api-ssd"
_NO_PATIENCE = timedelta(0)


def test_a_job_is_found_by_the_execution_that_handed_it_over(people: People, site: Site) -> None:
    ended = people.drop(Script(padding="found").photo(), "found/us.png", product="faces")

    by_first, by_last = (find_job(site, ended[name].arn) for name in ("cutout", "faces"))

    assert by_first is not None
    assert by_last is not None
    assert by_first.row == by_last.row
    rows = find_rows(site, Wanted(product="faces"))
    assert "found/us.png" in {row.key for row in rows}


def test_a_failed_job_is_replayed_with_the_options_of_its_upload(
    people: People, driver: Driver, site: Site
) -> None:
    script = Script(fails={SSD: f"{UNTIL_REPLAYED}OutOfMemory"})
    people.ask(script.photo(), "replayed/us.png", preview="true")
    row = row_of(site, "replayed/us.png")
    job = find_job(site, row.job_id)
    assert job is not None

    replayed = replay(site, job, Changes())

    assert outcome(driver, site, replayed) == "DONE"
    assert replayed.started is not None
    assert NAMES.machine("faces") in replayed.started
    assert "_faces_preview.jpg" in people.published("replayed/us")


def test_a_failure_that_no_state_catches_is_recorded(people: People, site: Site) -> None:
    failed = people.ask(Script(fails={SSD: "StoreUnavailable"}).photo(), "recorded/us.png")

    row = row_of(site, "recorded/us.png")
    assert (row.status, row.error, row.execution) == ("FAILED", "StoreUnavailable", failed.arn)
    assert (row.product, row.machine) == ("faces", "faces")


def test_a_dead_job_is_closed(people: People, driver: Driver, site: Site) -> None:
    job_id = people.ask(Script(padding="dead").photo(), "dead/us.png").output["job_id"]
    driver.cloud.client("dynamodb").update_item(
        TableName=NAMES.table("jobs"),
        Key={"job_id": {"S": job_id}},
        UpdateExpression="SET #status = :status, #execution = :execution",
        ExpressionAttributeNames={"#status": "status", "#execution": "execution"},
        ExpressionAttributeValues={
            ":status": {"S": "RUNNING"},
            ":execution": {"S": NAMES.execution_arn("faces", "nowhere")},
        },
    )

    driver.reap()

    row = row_of(site, "dead/us.png")
    assert (row.status, row.error) == ("FAILED", "ExecutionGone")


def test_an_audit_counts_what_asked_for_faces_once_and_what_a_prefix_started_twice(
    people: People, site: Site
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    people.drop(Script(padding="asked").photo(), "audited/asked.png", product="faces")
    people.drop(Script(padding="below").photo(), "people/audited.png")
    people.drop(Script(padding="bad").photo(), "audited/bad.png", product="faces", redact="no")

    found = audit(site, since, patience=_NO_PATIENCE)

    states = {
        (each.product.name, each.source.key): verdict.state
        for each, verdict in found.verdicts
        if "audited" in each.source.key
    }
    assert found.findings == []
    assert states == {
        ("faces", "audited/asked.png"): "DONE",
        ("cutout", "people/audited.png"): "DONE",
        ("faces", "people/audited.png"): "DONE",
        ("faces", "audited/bad.png"): "QUARANTINED",
    }


@pytest.mark.parametrize("product", ["faces", "cutout"])
def test_a_lost_upload_becomes_what_it_asked_for(
    people: People, driver: Driver, site: Site, product: str
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    key = f"lost/{product}.png"
    with driver.silence():
        driver.put(Script(padding=key).photo(), key, product=product)
    (lost,) = (
        each
        for each in audit(site, since, patience=_NO_PATIENCE).findings
        if each.kind == LOST and each.lost and each.lost.source.key == key
    )

    repaired = repair(site, lost)

    assert repaired.started is not None
    driver.wait_until_ended(repaired.started)
    people.wait()
    (row,) = (row for row in JobsTable(site).rows() if row.key == key)
    assert (row.product, row.status) == (product, "DONE")


def test_a_backfill_finds_the_faces_of_photos_that_are_there(
    people: People, driver: Driver
) -> None:
    for name in ("one", "two"):
        people.drop(Script(padding=name).photo(), f"backfilled/{name}.png")

    batch = {"machine": "faces", "prefix": "backfilled/", "options": {"preview": True}}
    driver.wait_until_ended(driver.begin(batch, machine="backfill"))

    for name in ("one", "two"):
        assert people.record(f"backfilled/{name}.png")["count"] == 2
        assert "_faces_preview.jpg" in people.published(f"backfilled/{name}")
