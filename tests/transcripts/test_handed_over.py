"""What has the name of another product's media is handed over: nothing lost, nothing doubled."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.local.deployment import NAMES
from pipeline.operations.auditing import audit
from pipeline.operations.executions import Execution, find_execution
from pipeline.operations.following import follow
from pipeline.operations.lookup import find_job
from pipeline.operations.site import Site
from pipeline.session.watching import describe
from tests.calm import wait_for_calm
from tests.execution.driver import PATIENCE_S, Driver
from tests.pictures import png, square
from tests.transcripts.stubs.script import Script


def other(driver: Driver, execution: Execution) -> Execution:
    """Return the execution that one was handed over to, once it has ended."""
    arn = execution.output["execution"]
    driver.wait_until_ended(arn)
    return describe(driver.cloud.client("stepfunctions"), arn)


def handed_over(driver: Driver, key: str) -> Execution:
    """Wait for the two executions of a key; return the one that handed over."""
    wait_for_calm(driver.cloud, patience_s=PATIENCE_S)
    states = driver.cloud.client("stepfunctions")
    for machine in ("cutout", "transcript"):
        listed = states.list_executions(stateMachineArn=NAMES.machine_arn(machine))["executions"]
        for row in listed:
            found = describe(states, row["executionArn"])
            if found.key == key and found.output.get("status") == "HANDED_OVER":
                return found
    raise AssertionError(f"nothing was handed over of {key}")


@pytest.mark.parametrize("key", ["talk.jpg", "talk", "talk.docx"])
def test_a_recording_without_a_recordings_name_becomes_a_transcript(
    driver: Driver, key: str
) -> None:
    driver.put(Script(windows=1, padding=key).recording(), f"recordings/{key}", denoise="true")

    first = handed_over(driver, f"recordings/{key}")

    assert driver.states_of(first) == ["Inspect", "NameOtherMachine", "HandOver", "HandedOver"]
    assert first.arn == NAMES.execution_arn("cutout", first.name)
    done = other(driver, first)
    assert done.arn == NAMES.execution_arn("transcript", first.name)
    assert done.input == first.input
    assert done.output["status"] == "DONE"
    assert {each["kind"] for each in done.output["files"]} >= {"text", "denoised"}


@pytest.mark.parametrize("key", ["cat.mp3", "cat.MP4"])
def test_a_photo_with_a_recordings_name_becomes_a_cutout(driver: Driver, key: str) -> None:
    driver.put(png(square(left=8)), f"photos/{key}", crop="true")

    first = handed_over(driver, f"photos/{key}")

    done = other(driver, first)
    assert done.arn == NAMES.execution_arn("cutout", first.name)
    assert done.output["status"] == "DONE"
    assert "photos/cat_bg_removed.png" in driver.keys("output")


def test_options_of_the_other_product_are_judged_by_its_own_inspector(driver: Driver) -> None:
    driver.put(Script(padding="options").recording(), "options/talk.jpg", background="#ff0000")

    refused = other(driver, handed_over(driver, "options/talk.jpg"))

    assert (refused.verdict, refused.error) == ("QUARANTINED", "InvalidOptions")
    assert driver.reason(refused)["execution"] == refused.arn


def test_what_is_neither_is_quarantined_where_its_name_leads(driver: Driver) -> None:
    refused = driver.drop(b"%PDF-1.7", "neither.mp3")

    assert (refused.verdict, refused.error) == ("QUARANTINED", "UnsupportedMedia")
    assert "neither a recording nor a film" in driver.reason(refused)["message"]


def test_a_second_try_finds_the_execution_that_the_first_has_started(driver: Driver) -> None:
    """StartExecution was heard, and its answer was lost."""
    content = Script(padding="tried twice").recording()
    given = {"bucket": NAMES.bucket("ingest"), "key": "tried/talk.jpg"}
    states = driver.cloud.client("stepfunctions")
    with driver.silence():
        driver.put(content, "tried/talk.jpg")
    for machine in ("transcript", "cutout"):
        states.start_execution(
            stateMachineArn=NAMES.machine_arn(machine), name="tried", input=json.dumps(given)
        )
        driver.wait_until_ended(NAMES.execution_arn(machine, "tried"))

    first = describe(states, NAMES.execution_arn("cutout", "tried"))

    assert driver.task_errors(first)[-1] == "StepFunctions.ExecutionAlreadyExistsException"
    assert first.handed_to == NAMES.execution_arn("transcript", "tried")
    assert other(driver, first).output["status"] == "DONE"


def test_only_the_execution_that_does_the_job_has_a_row(driver: Driver, site: Site) -> None:
    driver.put(Script(padding="row").recording(), "rows/talk.jpg")
    first = handed_over(driver, "rows/talk.jpg")
    done = other(driver, first)

    (row,) = driver.records_of("rows/talk.jpg")
    assert (row["execution"], row["product"]) == (done.arn, "transcript")
    assert driver.record(first.name) == {}
    for name in (first.name, first.arn):
        found = find_job(site, name)
        assert found is not None
        assert found.asked == find_execution(site, done.arn)
        assert found.row is not None
        assert found.row.job_id == done.output["job_id"]


@pytest.mark.parametrize("background", ["", "#ff0000"])
def test_who_follows_the_first_execution_sees_the_end_of_the_other(
    driver: Driver, site: Site, background: str
) -> None:
    key = f"followed/{background[1:]}talk.jpg"
    options = {"background": background} if background else {}
    driver.put(Script(padding=key).recording(), key, **options)
    first = handed_over(driver, key)

    found = follow(site, first.name, owner="nobody", visible="")

    assert found is not None
    assert found.state == ("QUARANTINED" if background else "DONE")
    assert found.source.key == key


def test_an_audit_follows_to_the_other_execution(driver: Driver, site: Site) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    driver.put(Script(padding="audited").recording(), "audited/talk.jpg")
    driver.put(png(square(left=8)), "audited/cat.mp3")
    driver.put(Script(padding="bad").recording(), "audited/bad.jpg", background="#ff0000")
    wait_for_calm(driver.cloud, patience_s=PATIENCE_S)

    found = audit(site, since, patience=timedelta(0))

    assert found.findings == []
    states = {
        (each.product.name, each.source.key): verdict.state
        for each, verdict in found.verdicts
        if each.source.key.startswith("audited/")
    }
    assert states == {
        ("transcript", "audited/talk.jpg"): "DONE",
        ("cutout", "audited/cat.mp3"): "DONE",
        ("transcript", "audited/bad.jpg"): "QUARANTINED",
    }
