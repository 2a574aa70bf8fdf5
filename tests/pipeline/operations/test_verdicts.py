"""How an accepted object is judged, case by case."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from pipeline.artifacts import Location
from pipeline.operations.executions import Execution
from pipeline.operations.jobs_table import JobRow
from pipeline.operations.verdicts import LOST, STUCK, Accepted, verdict_of
from tests.pipeline.operations.sites import CUTOUT

THEN: Final = datetime(2026, 1, 1, tzinfo=UTC)
PHOTO: Final = Location("ingest", "cat.jpg", "v1")
SOON: Final = timedelta(minutes=15)


def execution(
    name: str, status: str = "SUCCEEDED", ended_as: str = "DONE", **facts: Any
) -> Execution:
    output = {"status": ended_as, "job_id": "j"}
    return Execution(name, status, {}, output, facts.get("error"), facts.get("cause"), started=THEN)


def accepted(*executions: Execution, at: datetime = THEN) -> Accepted:
    return Accepted(PHOTO, "etag", at, CUTOUT, executions)


def row(status: str, of: str, error: str = "") -> JobRow:
    return JobRow("j", status, of, THEN, "ingest", "cat.jpg", error=error)


DONE: Final = execution("a")
DUPLICATE: Final = execution("b", ended_as="DUPLICATE")
RUNNING: Final = execution("c", "RUNNING")
REFUSED: Final = execution("d", "FAILED", error="NoSubject")
RED: Final = execution("e", "FAILED", error="StoreUnavailable")
ABORTED: Final = execution("f", "ABORTED")


@pytest.mark.parametrize(
    ("executions", "rows", "state", "error"),
    [
        pytest.param([DONE], [row("DONE", "a")], "DONE", "", id="cut out"),
        pytest.param([DUPLICATE], [], "DUPLICATE", "", id="of another object"),
        pytest.param([DONE, DUPLICATE], [row("DONE", "a")], "DONE", "", id="event came twice"),
        pytest.param([DONE, RUNNING], [row("RUNNING", "c")], "RUNNING", "", id="forced"),
        pytest.param(
            [REFUSED], [row("QUARANTINED", "d", "NoSubject")], "QUARANTINED", "NoSubject", id="no"
        ),
        pytest.param([RED], [row("FAILED", "e", "OutOfMemory")], "FAILED", "OutOfMemory", id="oom"),
        pytest.param([RED, DONE], [row("DONE", "a")], "DONE", "", id="replayed"),
        pytest.param([RED], [row("DONE", "e")], "DONE", "", id="red after it was done"),
        pytest.param(
            [RED], [row("DELETED", "e")], "DELETED", "", id="red after it was done, then deleted"
        ),
    ],
)
def test_an_object_is_in_exactly_one_state(
    executions: list[Execution], rows: list[JobRow], state: str, error: str
) -> None:
    claims = {each.execution: each for each in rows}

    verdict = verdict_of(accepted(*executions), claims, SOON)

    assert (verdict.state, verdict.error, verdict.finding) == (state, error, None)


@pytest.mark.parametrize(
    ("ended", "state", "error"),
    [(REFUSED, "QUARANTINED", "NoSubject"), (RED, "FAILED", "StoreUnavailable"),
     (ABORTED, "FAILED", "ABORTED")],
)  # fmt: skip
def test_a_failure_whose_job_another_execution_has_taken_over_is_told_by_itself(
    ended: Execution, state: str, error: str
) -> None:
    claims = {ended.arn: row("DONE", "somebody else")}

    verdict = verdict_of(accepted(ended), claims, SOON)

    assert (verdict.state, verdict.error, verdict.finding) == (state, error, None)


def test_what_nobody_started_is_lost_once_patience_is_over() -> None:
    lost = accepted()
    old = verdict_of(lost, {}, SOON)
    young = verdict_of(accepted(at=datetime.now(UTC)), {}, SOON)

    assert old.finding is not None
    assert (old.state, old.finding.kind, old.finding.lost) == ("LOST", LOST, lost)
    assert (young.state, young.finding) == ("WAITING", None)


@pytest.mark.parametrize(
    "claims", [{"e": row("RUNNING", "e")}, {}], ids=["its job still held", "no job at all"]
)
def test_a_red_execution_that_nobody_recorded_is_stuck(claims: dict[str, JobRow]) -> None:
    just_ended = replace(RED, ended=datetime.now(UTC))
    verdict = verdict_of(accepted(RED), claims, SOON)
    young = verdict_of(accepted(just_ended), claims, SOON)

    assert verdict.finding is not None
    assert (verdict.state, verdict.finding.kind) == ("STUCK", STUCK)
    assert (young.state, young.finding) == ("WAITING", None)
    assert verdict.finding.row is not None
    assert (verdict.finding.row.execution, verdict.finding.row.key) == ("e", "cat.jpg")


def test_the_row_to_be_written_for_an_execution_without_one_names_its_machine() -> None:
    verdict = verdict_of(accepted(RED), {}, SOON)

    assert verdict.finding is not None
    assert verdict.finding.row is not None
    assert (verdict.finding.row.product, verdict.finding.row.machine) == ("cutout", "cutout")
