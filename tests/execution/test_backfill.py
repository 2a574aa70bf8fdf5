"""A backfill over every product, with the real state machines, while people upload."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from click.testing import CliRunner

from pipeline import hardware
from pipeline.cli.backfill import backfill
from pipeline.local.deployment import NAMES
from pipeline.local.lanes import NICE
from pipeline.operations.auditing import audit
from pipeline.operations.site import Site
from tests.execution.driver import Driver
from tests.pictures import png, square

INGEST: Final = NAMES.bucket("ingest")
NOTHING: Final[dict[str, Any]] = {}
EVENTS: Final[dict[str, Any]] = {"EventBridgeConfiguration": {}}


@contextmanager
def no_events(driver: Driver) -> Iterator[None]:
    """In this block, no upload starts anything: so it was before the stage had rules."""
    change = driver.s3.put_bucket_notification_configuration
    change(Bucket=INGEST, NotificationConfiguration=NOTHING)
    try:
        yield
    finally:
        change(Bucket=INGEST, NotificationConfiguration=EVENTS)


def command(driver: Driver, *words: str) -> str:
    done = CliRunner().invoke(backfill, [*words, "--endpoint-url", driver.cloud.endpoint])
    assert done.exit_code == 0, done.output
    return done.output


def test_each_object_gets_its_own_product_and_counts_report_and_audit_agree(
    driver: Driver, site: Site
) -> None:
    with no_events(driver):
        for number in range(4):
            driver.put(png(square(left=number)), f"every/{number}.png")
        driver.put(b"no recording", "every/talk.mp3")
        driver.put(b"", "every/folder/")

    arn = command(driver, "start", "--prefix", "every/", "--tolerate", "50").strip()
    driver.put(png(square(left=40)), "meanwhile.png")
    (dropped,) = driver.wait_for(["meanwhile.png"])
    driver.wait_until_ended(arn)

    assert dropped.status == "SUCCEEDED"
    name = arn.rpartition(":")[2]
    (summary,) = csv.DictReader(io.StringIO(command(driver, "summary", name)))
    assert (summary["total"], summary["succeeded"], summary["failed"]) == ("5", "4", "1")
    report = list(csv.DictReader(io.StringIO(command(driver, "report", name))))
    assert {row["key"]: (row["status"], row["error"]) for row in report} == {
        **{f"every/{number}.png": ("DONE", "") for number in range(4)},
        "every/talk.mp3": ("FAILED", "UnsupportedMedia"),
    }
    started = {row["key"]: row for row in _started(driver)}
    assert {key: row["machine"] for key, row in started.items() if key.startswith("every/")} == {
        **{f"every/{number}.png": "cutout" for number in range(4)},
        "every/talk.mp3": "transcript",
    }
    assert {row["lane"] for row in started.values()} == {"backfill"}
    assert not [each for each in _findings(site) if each.what.startswith("every/")]


def test_a_backfills_workers_are_others_than_those_of_uploads(driver: Driver) -> None:
    """With one core, there may be one worker of a function, for both."""
    with no_events(driver):
        driver.put(png(square(left=50)), "lanes/old.png")
    driver.drop(png(square(left=51)), "lanes/new.png")

    driver.wait_until_ended(command(driver, "start", "--prefix", "lanes/").strip())

    pids = driver.cloud.host.worker_pids(NAMES.function("background-remover", "brightness"))
    priorities = {os.getpriority(os.PRIO_PROCESS, pid) for pid in pids}
    own = os.getpriority(os.PRIO_PROCESS, 0)
    both = {own, min(19, own + NICE)}
    assert priorities == both or (own in priorities and hardware.cores() == 1)


def _started(driver: Driver) -> Iterator[dict[str, Any]]:
    """Yield the inputs of executions of products that no event started."""
    states = driver.cloud.client("stepfunctions")
    for machine in ("cutout", "transcript"):
        arn = NAMES.machine_arn(machine)
        for row in states.list_executions(stateMachineArn=arn)["executions"]:
            text = states.describe_execution(executionArn=row["executionArn"])["input"]
            given = json.loads(text)
            if "detail-type" not in given:
                yield {**given, "machine": machine}


def _findings(site: Site) -> list[Any]:
    since = datetime.now(UTC) - timedelta(minutes=10)
    return list(audit(site, since, patience=timedelta(0)).findings)
