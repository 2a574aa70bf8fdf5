"""What an audit finds at the output keys of a running cloud, and what its repair puts there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.local.deployment import NAMES
from pipeline.operations.auditing import audit
from pipeline.operations.executions import Execution, find_execution
from pipeline.operations.repairing import repair
from pipeline.operations.site import Site
from pipeline.operations.verdicts import (
    ALTERED,
    OVERWRITTEN,
    UNPUBLISHED,
    WITHDRAWN,
    Finding,
)
from tests.execution.driver import Driver
from tests.execution.operating import Write
from tests.pictures import png, square

LEFT = png(square(left=8))
RIGHT = png(square(left=56))
OUTPUT = NAMES.bucket("output")
INGEST = NAMES.bucket("ingest")


@pytest.mark.parametrize("lost", ["bg_removed.json", "bg_removed.png", "mask.png"])
def test_an_output_that_is_missing_is_unpublished_and_made_again(
    driver: Driver, site: Site, lost: str
) -> None:
    done = driver.drop(LEFT, f"missing/{lost}", outputs="cutout,mask")
    key = done.output["manifest"].removeprefix(f"s3://{OUTPUT}/").replace("bg_removed.json", lost)
    driver.s3.delete_object(Bucket=OUTPUT, Key=key)

    (finding,) = found(site, done)
    repaired(driver, site, finding)

    assert (finding.kind, finding.what) == (UNPUBLISHED, done.output["job_id"])
    assert finding.why == f"s3://{OUTPUT}/{key} does not exist"
    assert key in driver.keys("output", prefix="missing/")
    assert found(site, done) == []


def test_outputs_of_an_object_that_was_deleted_too_are_not_missed(
    driver: Driver, site: Site
) -> None:
    done = driver.drop(LEFT, "tidy/cat.png")
    for key in driver.keys("output", prefix="tidy/"):
        driver.s3.delete_object(Bucket=OUTPUT, Key=key)
    driver.s3.delete_object(Bucket=INGEST, Key="tidy/cat.png")

    assert found(site, done) == []


def test_a_record_of_another_job_is_overwritten_and_the_latest_is_published_again(
    driver: Driver, site: Site
) -> None:
    early = driver.drop(LEFT, "over/cat.png")
    old = driver.read(early.output["manifest"])
    late = driver.drop(RIGHT, "over/cat.png")
    assert found(site, early, late) == []
    driver.put(old, "over/cat_bg_removed.json", to=OUTPUT)

    (finding,) = found(site, early, late)
    repaired(driver, site, finding)

    assert (finding.kind, finding.what) == (OVERWRITTEN, late.output["job_id"])
    assert record(driver, late)["job_id"] == late.output["job_id"]
    assert found(site, early, late) == []


def test_of_two_names_with_one_output_key_the_last_upload_belongs_there(
    driver: Driver, site: Site
) -> None:
    early = driver.drop(LEFT, "stems/cat.jpg")
    old = driver.read(early.output["manifest"])
    late = driver.drop(RIGHT, "stems/cat.png")
    driver.put(old, "stems/cat_bg_removed.json", to=OUTPUT)

    (finding,) = found(site, early, late)
    repaired(driver, site, finding)

    assert (finding.kind, finding.what) == (OVERWRITTEN, late.output["job_id"])
    assert record(driver, late)["source"]["key"] == "stems/cat.png"


def test_an_output_of_another_size_is_altered_and_made_again(driver: Driver, site: Site) -> None:
    done = driver.drop(LEFT, "altered/cat.png")
    before = driver.read(done.output["pictures"][0]["uri"])
    driver.put(before + b"more", "altered/cat_bg_removed.png", to=OUTPUT)

    (finding,) = found(site, done)
    repaired(driver, site, finding)

    assert (finding.kind, finding.what) == (ALTERED, done.output["job_id"])
    assert driver.read(done.output["pictures"][0]["uri"]) == before


def test_an_output_of_the_same_size_is_altered_where_its_content_is_compared(
    driver: Driver, site: Site
) -> None:
    done = driver.drop(LEFT, "altered/subtly.png")
    before = driver.read(done.output["pictures"][0]["uri"])
    driver.put(before[:-1] + b"?", "altered/subtly_bg_removed.png", to=OUTPUT)

    assert found(site, done) == []
    assert [finding.kind for finding in found(site, done, content=True)] == [ALTERED]


def test_a_result_published_after_its_object_was_deleted_is_withdrawn_and_not_made_again(
    driver: Driver, site: Site
) -> None:
    done = driver.drop(LEFT, "private/me.png")
    driver.s3.delete_object(Bucket=INGEST, Key="private/me.png")
    assert found(site, done) == []
    later = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    published = {**record(driver, done), "published_at": later}
    driver.put(json.dumps(published).encode(), "private/me_bg_removed.json", to=OUTPUT)

    (finding,) = found(site, done)

    assert (finding.kind, finding.what) == (WITHDRAWN, done.output["job_id"])
    assert "delete its outputs" in finding.why
    assert repair(site, finding).words == "not repaired: an operator must decide"


def test_a_version_that_a_user_named_is_not_withdrawn(driver: Driver, site: Site) -> None:
    driver.drop(LEFT, "named/me.png")
    (version,) = driver.s3.list_object_versions(Bucket=INGEST, Prefix="named/me.png")["Versions"]
    driver.s3.delete_object(Bucket=INGEST, Key="named/me.png")
    asked = {"bucket": INGEST, "key": "named/me.png", "version_id": version["VersionId"]}
    done = driver.start({**asked, "force": True})
    later = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    published = {**record(driver, done), "published_at": later}
    driver.put(json.dumps(published).encode(), "named/me_bg_removed.json", to=OUTPUT)

    assert found(site, done) == []


def test_what_is_made_again_after_it_was_replaced_is_not_doubled(
    driver: Driver, site: Site
) -> None:
    ends = [driver.drop(content, "again/cat.png") for content in (LEFT, RIGHT, LEFT)]

    assert [each.output["status"] for each in ends] == ["DONE"] * 3
    assert found(site, *ends) == []


@pytest.mark.parametrize(
    ("error", "kinds"),
    [("StoreUnavailable", []), ("NoSubject", []), ("SourceChanged", [UNPUBLISHED])],
)
def test_the_result_of_a_duplicate_is_missed_unless_its_job_failed(
    driver: Driver, site: Site, rewrite: Write, error: str, kinds: list[str]
) -> None:
    """A job is refused for a later upload that is taken back while the refusal is recorded."""
    key = f"taken back/{error}"
    first = driver.drop(LEFT, f"{key}.png")
    rewrite(first.output["job_id"], status="RUNNING")
    duplicate = driver.drop(LEFT, f"{key}.png")
    assert duplicate.output["status"] == "DUPLICATE"
    status = "FAILED" if error == "StoreUnavailable" else "QUARANTINED"
    rewrite(first.output["job_id"], status=status, error=error)
    driver.s3.delete_object(Bucket=OUTPUT, Key=f"{key}_bg_removed.json")

    findings = found(site, duplicate)

    assert [finding.kind for finding in findings] == kinds
    for finding in findings:
        repaired(driver, site, finding)


def test_a_photo_that_was_deleted_is_not_published_again(driver: Driver, site: Site) -> None:
    done = driver.drop(LEFT, "left/cat.png")
    driver.s3.delete_object(Bucket=OUTPUT, Key="left/cat_bg_removed.png")
    (finding,) = found(site, done)
    driver.s3.delete_object(Bucket=INGEST, Key="left/cat.png")

    assert repair(site, finding).words == "not repaired: the object was deleted"


def found(site: Site, *executions: Execution, content: bool = False) -> list[Finding]:
    since = datetime.now(UTC) - timedelta(minutes=10)
    told = audit(site, since, patience=timedelta(0), content=content)
    jobs = {execution.output["job_id"] for execution in executions}
    return [finding for finding in told.findings if finding.what in jobs]


def repaired(driver: Driver, site: Site, finding: Finding) -> None:
    started = str(repair(site, finding).started)
    driver.wait_until_ended(started)
    execution = find_execution(site, started)
    assert execution is not None
    assert execution.verdict == "DONE", execution.reason


def record(driver: Driver, execution: Execution) -> Any:
    return json.loads(driver.read(execution.output["manifest"]))
