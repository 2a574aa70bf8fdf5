"""A fault at every state of a run of a collection in turn: tried again, it ends as it should."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

import pytest

from pipeline.local.deployment import NAMES
from pipeline.operations.auditing import Audit
from pipeline.operations.jobs_table import JobRow, JobsTable
from tests.faces.stubs.script import Script
from tests.faults.accounts import ENDS
from tests.faults.injector import Spot
from tests.faults.kinds import HEALING
from tests.faults.runs import CONSENT, EMBEDDER, MACHINE, PERSON, PRINCIPAL, Run, ask, job, runs
from tests.faults.storm import Storm

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(420),  # all runs are waited for by the first test
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]
RUNS: Final = runs()
MISSING: Final = "CollectionMissing"


@dataclass(frozen=True)
class Aftermath:
    """The rows of the first tries, and of the last ones; how often each fault was met."""

    first: dict[Run, JobRow | None]
    last: dict[Run, JobRow | None]
    met: dict[Run, int]
    audit: Audit


@pytest.fixture(scope="module")
def aftermath(storm: Storm) -> Aftermath:
    for run in RUNS:
        if run.action != "create":
            photo = Script(padding=run.photo).photo()
            storm.drop(run.photo, photo, product="faces", embed="true", embedder=EMBEDDER)
    storm.wait_for_calm()
    for run in RUNS:
        _prepare(storm, run)
    spots = {run: Spot(run.collection, MACHINE, run.state) for run in RUNS}
    for run, spot in spots.items():
        storm.injector.plan[spot] = run.kind
        _start(storm, run, 1)
    storm.wait_for_calm()
    storm.clear_up()
    first = {run: JobsTable(storm.site).row(run.name(1)) for run in RUNS}
    met = {run: storm.injector.fired.pop(spot, 0) for run, spot in spots.items()}
    for spot in spots.values():
        del storm.injector.plan[spot]
    again = [run for run in RUNS if _ended(first[run]) != _wanted(run)]
    for run in again:
        _start(storm, run, 2)
    storm.wait_for_calm()
    last = first | {run: JobsTable(storm.site).row(run.name(2)) for run in again}
    return Aftermath(first, last, met, storm.take_stock())


def _prepare(storm: Storm, run: Run) -> None:
    """Make the collection, with somebody in it if the run is about somebody."""
    if run.action == "create" or run.refused:
        return
    ask(storm, job(run.collection, "create", consent=CONSENT, model=EMBEDDER))
    if run.forgets:
        place = {"output_bucket": NAMES.bucket("output"), "records": [run.record]}
        enrolled = ask(storm, job(run.collection, "enroll", person=PERSON, **place))
        assert enrolled["enrolled"] == 1, enrolled
    if run.action == "compact":
        ingest = NAMES.bucket("ingest")
        ask(storm, job(run.collection, "forget", person=PERSON, ingest_bucket=ingest))


def _start(storm: Storm, run: Run, number: int) -> None:
    storm.cloud.client("stepfunctions").start_execution(
        stateMachineArn=NAMES.machine_arn(MACHINE),
        name=run.name(number),
        input=json.dumps(run.asked),
    )


def _ended(row: JobRow | None) -> str:
    return row.status if row else "nowhere"


def _wanted(run: Run) -> str:
    return "QUARANTINED" if run.refused else "DONE"


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_every_fault_met_its_run(aftermath: Aftermath, run: Run) -> None:
    assert aftermath.met[run] > 0


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_a_run_ends_in_one_state_whatever_breaks(aftermath: Aftermath, run: Run) -> None:
    assert _ended(aftermath.first[run]) in ENDS


@pytest.mark.parametrize("run", [run for run in RUNS if run.kind in HEALING], ids=str)
def test_a_run_gets_over_a_passing_fault(aftermath: Aftermath, run: Run) -> None:
    assert _ended(aftermath.first[run]) == _wanted(run)


@pytest.mark.parametrize("run", [run for run in RUNS if run.action != "delete"], ids=str)
def test_a_run_that_is_tried_again_ends_as_it_should(aftermath: Aftermath, run: Run) -> None:
    assert _ended(aftermath.last[run]) == _wanted(run)


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_the_collection_is_as_if_nothing_had_broken(
    storm: Storm, aftermath: Aftermath, run: Run
) -> None:
    del aftermath
    found = ask(storm, job(run.collection, "describe"))

    if run.action == "delete" or run.refused:
        assert found["errorType"] == MISSING
        return
    (collection,) = found["collections"]
    left = {"create": 0, "forget": 0, "compact": 0}.get(run.action, 1)
    assert collection["vectors"] == left
    if run.action == "compact":
        assert collection["forgotten"] == 0
    if run.action == "allow":
        assert collection["allowed"] == [PRINCIPAL]
    if run.action == "move":
        assert collection["backend"] == "s3-vectors"


def test_nothing_is_left_to_find(aftermath: Aftermath) -> None:
    assert aftermath.audit.findings == []
