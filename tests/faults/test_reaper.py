"""Faults at every state of the reaper in turn: what is dead is closed, now or at the next look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from pipeline.local.deployment import NAMES
from pipeline.operations.jobs_table import JobsTable
from pipeline.operations.repairing import GONE
from tests.conftest import ROOT
from tests.contracts.asl import load_machines
from tests.faults.injector import Spot
from tests.faults.kinds import HEALING, KILLED, KINDS
from tests.faults.plan import PRODUCTS
from tests.faults.storm import Storm

pytestmark = [
    pytest.mark.faults,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]

MACHINE: Final = "reap-jobs"
STATES: Final = tuple(
    task.name
    for machine in load_machines(ROOT / "state_machines")
    if machine.name == MACHINE
    for task in machine.tasks
)


@pytest.fixture(scope="module", autouse=True)
def small_pages(storm: Storm) -> Iterator[None]:
    """A page is one job, so that two are enough to pass every state; and nothing is waited for."""
    states, arn = storm.cloud.client("stepfunctions"), NAMES.machine_arn(MACHINE)
    definition = states.describe_state_machine(stateMachineArn=arn)["definition"]
    small = definition.replace("[99]", "[0]").replace(": 100", ": 1")
    small = small.replace('"Seconds": 1', '"Seconds": 0')
    states.update_state_machine(stateMachineArn=arn, definition=small)
    yield
    states.update_state_machine(stateMachineArn=arn, definition=definition)


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {KILLED}))
@pytest.mark.parametrize("state", STATES)
def test_dead_jobs_are_closed_whatever_breaks(storm: Storm, state: str, kind: str) -> None:
    jobs = [f"{state}-{kind}-{product}" for product in PRODUCTS]
    spot = Spot("", MACHINE, state)
    for machine, job_id in zip(PRODUCTS, jobs, strict=True):
        _leave_running(storm, job_id, machine)

    storm.injector.plan[spot] = kind
    _reap(storm)
    met = storm.injector.fired.pop(spot)
    del storm.injector.plan[spot]
    if kind not in HEALING:
        _reap(storm)

    rows = [JobsTable(storm.site).row(job_id) for job_id in jobs]
    assert met > 0
    assert [(row.status, row.error) for row in rows if row] == [("FAILED", GONE)] * len(jobs)


def _leave_running(storm: Storm, job_id: str, machine: str) -> None:
    """A job of an execution there never was."""
    execution = NAMES.execution_arn(machine, job_id)
    facts = {"job_id": job_id, "status": "RUNNING", "execution": execution}
    storm.cloud.client("dynamodb").put_item(
        TableName=NAMES.table("jobs"), Item={name: {"S": text} for name, text in facts.items()}
    )


def _reap(storm: Storm) -> None:
    storm.cloud.client("stepfunctions").start_execution(
        stateMachineArn=NAMES.machine_arn(MACHINE), input="{}"
    )
    storm.wait_for_calm()
