"""What an audit finds on a running cloud, and what its repair makes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.local.deployment import NAMES
from pipeline.operations.auditing import audit
from pipeline.operations.executions import find_execution
from pipeline.operations.lookup import read_output_record
from pipeline.operations.repairing import GONE, repair
from pipeline.operations.site import Site
from pipeline.operations.verdicts import LOST, STUCK, UNRECORDED, Finding
from tests.execution.driver import Driver
from tests.execution.operating import Write, row_of
from tests.pictures import png, square

NOW = timedelta(0)


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
    assert (row.product, row.machine) == ("cutout", "cutout")
    assert (row.status, row.error) == ("FAILED", GONE)


def test_a_job_that_moved_on_since_the_audit_is_left_alone(
    driver: Driver, site: Site, rewrite: Write
) -> None:
    job_id = driver.drop(png(square()), "moved/cat.png").output["job_id"]
    own = row_of(site, "moved/cat.png").execution
    rewrite(job_id, status="RUNNING", execution=NAMES.execution_arn("cutout", "gone"))
    (finding,) = _findings(site, job_id)
    rewrite(job_id, status="DONE", execution=own)

    done = repair(site, finding)

    assert done.words == "not repaired: the job has changed since"
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


def test_a_younger_object_than_patience_may_still_be_waiting(driver: Driver, site: Site) -> None:
    with driver.silence():
        driver.put(png(square()), "waiting/cat.png")
    since = datetime.now(UTC) - timedelta(minutes=5)

    patient = audit(site, since, patience=timedelta(minutes=5))
    strict = audit(site, since, patience=NOW)

    (lost,) = (finding for finding in strict.findings if finding.kind == LOST)
    assert patient.states["cutout"]["WAITING"] == 1
    assert lost.what == f"s3://{NAMES.bucket('ingest')}/waiting/cat.png"
    driver.wait_until_ended(str(repair(site, lost).started))
    assert row_of(site, "waiting/cat.png").status == "DONE"


def test_a_lost_photo_that_was_replaced_since_is_refused_and_its_successor_stands(
    driver: Driver, site: Site
) -> None:
    with driver.silence():
        driver.put(png(square(left=8)), "late/cat.png")
    latest = driver.drop(png(square(left=56)), "late/cat.png")
    (lost,) = _lost(site, "late/cat.png")

    started = str(repair(site, lost).started)
    driver.wait_until_ended(started)

    execution = find_execution(site, started)
    manifest = read_output_record(site, row_of(site, "late/cat.png"))
    assert execution is not None
    assert execution.error == "SourceChanged"
    assert manifest is not None
    assert manifest["execution"] == latest.arn
    assert _lost(site, "late/cat.png") == []


def test_a_lost_photo_that_was_deleted_since_is_left_for_a_person(
    driver: Driver, site: Site
) -> None:
    with driver.silence():
        driver.put(png(square()), "deleted/cat.png")
    driver.s3.delete_object(Bucket=NAMES.bucket("ingest"), Key="deleted/cat.png")
    (lost,) = _lost(site, "deleted/cat.png")

    assert repair(site, lost).words == "not repaired: the object was deleted"
    assert len(_lost(site, "deleted/cat.png")) == 1


def _lost(site: Site, key: str) -> list[Finding]:
    told = audit(site, datetime.now(UTC) - timedelta(minutes=10), patience=NOW)
    return [each for each in told.findings if each.kind == LOST and each.what.endswith(key)]


def test_an_object_of_the_second_the_audit_begins_at_has_its_execution(
    driver: Driver, site: Site
) -> None:
    driver.drop(png(square()), "second/cat.png")
    (photo,) = driver.s3.list_object_versions(
        Bucket=NAMES.bucket("ingest"), Prefix="second/cat.png"
    )["Versions"]

    told = audit(site, photo["LastModified"].replace(microsecond=999_999), patience=NOW)

    assert [each.what for each in told.findings if "second/" in each.what] == []


def _findings(site: Site, job_id: str) -> list[Finding]:
    told = audit(site, datetime.now(UTC) - timedelta(minutes=10), patience=NOW)
    return [finding for finding in told.findings if finding.what == job_id]
