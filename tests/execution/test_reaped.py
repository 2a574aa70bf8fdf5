"""Jobs that say RUNNING of an execution that is over or gone are closed by `reap-jobs`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from pipeline.local.deployment import NAMES
from pipeline.operations.jobs_table import JobsTable
from pipeline.operations.repairing import GONE
from pipeline.operations.site import Site
from tests.execution.driver import Driver
from tests.execution.operating import Write, row_of
from tests.pictures import png, square

NOWHERE = NAMES.execution_arn("cutout", "nobody-knows-it")
HOUR = timedelta(hours=1)


def test_a_job_whose_execution_is_gone_is_failed_with_what_to_do(
    driver: Driver, site: Site, rewrite: Write
) -> None:
    job_id = driver.drop(png(square()), "reaped/gone.png").output["job_id"]
    rewrite(job_id, status="RUNNING", execution=NOWHERE)

    reaped = driver.reap()

    row = row_of(site, "reaped/gone.png")
    assert reaped.status == "SUCCEEDED"
    assert (row.status, row.error, row.execution) == ("FAILED", GONE, NOWHERE)
    assert "Upload the file again" in row.reason
    assert driver.record(job_id)["held_until"] == "0"


def test_a_job_whose_bad_end_nobody_was_told_of_is_failed_with_its_own_error(
    driver: Driver, site: Site
) -> None:
    with unheard(driver):
        driver.drop(png(square()), "reaped/bug.png", model="buggy")
    before = row_of(site, "reaped/bug.png")

    driver.reap()

    row = row_of(site, "reaped/bug.png")
    assert before.status == "RUNNING"
    assert (row.status, row.error) == ("FAILED", "ZeroDivisionError")
    assert json.loads(row.reason)["errorMessage"] == "integer division or modulo by zero"


def test_an_execution_that_was_stopped_without_a_word_is_recorded_as_aborted(
    driver: Driver, site: Site
) -> None:
    states = driver.cloud.client("stepfunctions")
    driver.faults.before(
        rf"GET /{NAMES.bucket('models')}",
        lambda: states.stop_execution(executionArn=driver.running()),
    )
    with unheard(driver):
        driver.drop(png(square()), "reaped/stopped.png")

    driver.reap()

    row = row_of(site, "reaped/stopped.png")
    assert (row.status, row.error, row.reason) == ("FAILED", "ABORTED", "no cause was given")


def test_a_job_of_no_execution_at_all_is_closed_and_stops_nobody_elses_end(
    driver: Driver, site: Site, rewrite: Write
) -> None:
    for left, execution in ((4, "somebody"), (12, NOWHERE)):
        job_id = driver.drop(png(square(left=left)), f"reaped/no{left}.png").output["job_id"]
        rewrite(job_id, status="RUNNING", execution=execution)

    assert driver.reap().status == "SUCCEEDED"

    ended = [row_of(site, f"reaped/no{left}.png") for left in (4, 12)]
    assert [(row.status, row.error) for row in ended] == [("FAILED", GONE)] * 2


def test_a_job_of_another_machines_execution_is_closed_without_describing_it(
    driver: Driver, site: Site, rewrite: Write
) -> None:
    """The reaper may describe products' executions only: any other would stop it on AWS."""
    job_id = driver.drop(png(square(left=20)), "reaped/other.png").output["job_id"]
    rewrite(job_id, status="RUNNING", execution=driver.stage("brightness").arn)

    assert driver.reap().status == "SUCCEEDED"

    row = row_of(site, "reaped/other.png")
    assert (row.status, row.error) == ("FAILED", GONE)


def test_what_is_done_or_still_runs_is_left_alone(
    driver: Driver, site: Site, rewrite: Write
) -> None:
    driver.drop(png(square()), "reaped/done.png")
    ended_well = driver.drop(png(square(left=8)), "reaped/well.png").output["job_id"]
    rewrite(ended_well, status="RUNNING")  # as if it were about to say so
    before = {key: row_of(site, key) for key in ("reaped/done.png", "reaped/well.png")}
    driver.faults.before(rf"GET /{NAMES.bucket('models')}", lambda: reap_now(driver))

    alive = driver.drop(png(square(left=16)), "reaped/alive.png")

    assert alive.status == "SUCCEEDED"
    assert row_of(site, "reaped/alive.png").status == "DONE"
    assert {key: row_of(site, key) for key in before} == before


def test_a_job_that_is_held_for_a_redrive_while_the_reaper_looks_stays_held(
    driver: Driver, site: Site
) -> None:
    """The reaper saw the job before it was held, and its execution was red for a moment longer."""
    with unheard(driver):
        dead = driver.drop(png(square()), "reaped/held.png", model="buggy")
    row = row_of(site, "reaped/held.png")
    ended = dead.ended or row.updated_at

    def hold() -> None:
        assert JobsTable(site).hold(row, after=ended, until=datetime.now(UTC) + HOUR)

    driver.faults.before(r"POST / DynamoDB.*UpdateItem", hold)
    driver.reap()
    held = row_of(site, "reaped/held.png")
    driver.reap()  # nobody resumed it after all

    assert held.status == "RUNNING"
    assert row_of(site, "reaped/held.png").status == "FAILED"


def test_every_page_is_read_however_many_there_are(driver: Driver, site: Site) -> None:
    dynamodb = driver.cloud.client("dynamodb")
    for number in range(7):
        dynamodb.put_item(
            TableName=NAMES.table("jobs"),
            Item={
                "job_id": {"S": f"page-{number}"},
                "status": {"S": "RUNNING"},
                "execution": {"S": f"{NOWHERE}-{number}"},
            },
        )

    with pages_of(driver, 3):
        driver.reap()

    rows = [row for row in JobsTable(site).rows() if row.job_id.startswith("page-")]
    assert [(row.status, row.error) for row in rows] == [("FAILED", GONE)] * 7


@contextmanager
def unheard(driver: Driver) -> Iterator[None]:
    """Executions end and nobody is told."""
    events, rule = driver.cloud.client("events"), NAMES.machine("record-failure")
    (target,) = events.list_targets_by_rule(Rule=rule)["Targets"]
    events.remove_targets(Rule=rule, Ids=[target["Id"]])
    try:
        yield
    finally:
        events.put_targets(Rule=rule, Targets=[target])


@contextmanager
def pages_of(driver: Driver, size: int) -> Iterator[None]:
    """The reaper with smaller pages."""
    states, arn = driver.cloud.client("stepfunctions"), NAMES.machine_arn("reap-jobs")
    definition = states.describe_state_machine(stateMachineArn=arn)["definition"]
    small = definition.replace("[99]", f"[{size - 1}]").replace(": 100", f": {size}")
    states.update_state_machine(stateMachineArn=arn, definition=small)
    try:
        yield
    finally:
        states.update_state_machine(stateMachineArn=arn, definition=definition)


def reap_now(driver: Driver) -> None:
    """A whole look at the jobs, from inside another execution's state."""
    states = driver.cloud.client("stepfunctions")
    arn = states.start_execution(stateMachineArn=NAMES.machine_arn("reap-jobs"), input="{}")
    driver.wait_until_ended(arn["executionArn"])
