"""How one accepted object ended: exactly one state, or a finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from pipeline.operations.accepted import Accepted
from pipeline.operations.executions import Execution
from pipeline.operations.findings import LOST, STUCK, Finding
from pipeline.operations.jobs_table import DONE, FAILED, QUARANTINED, RUNNING, JobRow

DUPLICATE: Final = "DUPLICATE"
WAITING: Final = "WAITING"


@dataclass(frozen=True)
class Verdict:
    """The state an object is in, and the error's name where it has one."""

    state: str
    error: str = ""
    finding: Finding | None = None


def verdict_of(each: Accepted, claims: Mapping[str, JobRow], patience: timedelta) -> Verdict:
    """The object's state. `claims` has the row of every execution that ever claimed a job."""
    if not each.executions:
        return _without_execution(each, patience)
    if any(execution.running for execution in each.executions):
        return Verdict(RUNNING)
    told = [_told(execution, claims) for execution in each.executions]
    known = [verdict for verdict in told if verdict is not None]
    settled = [verdict for verdict in known if verdict.state != DUPLICATE]
    if settled or known:
        return (settled or known)[-1]
    if just_ended(each.executions[-1], patience):
        return Verdict(WAITING)
    return Verdict(STUCK.upper(), finding=_unrecorded(each, claims))


def just_ended(execution: Execution, patience: timedelta) -> bool:
    """Whether nobody may have come to record its end yet."""
    ended = execution.ended
    return ended is not None and datetime.now(UTC) - ended < patience


def _without_execution(each: Accepted, patience: timedelta) -> Verdict:
    if datetime.now(UTC) - each.at < patience:
        return Verdict(WAITING)
    told = "no execution was started for it"
    return Verdict(LOST.upper(), finding=Finding(LOST, each.photo.uri, told, lost=each))


def _told(execution: Execution, claims: Mapping[str, JobRow]) -> Verdict | None:
    """How an execution that has ended is recorded; None if it is not."""
    if execution.status == "SUCCEEDED":
        return Verdict(execution.verdict)
    row = claims.get(execution.arn)
    if row is None:
        return None
    if row.execution != execution.arn:  # another has taken the job over since
        state = QUARANTINED if execution.verdict == QUARANTINED else FAILED
        return Verdict(state, execution.error or execution.status)
    return Verdict(row.status, row.error) if row.status == DONE or _closed(row) else None


def _closed(row: JobRow) -> bool:
    return row.status != RUNNING and bool(row.error)


def _unrecorded(each: Accepted, claims: Mapping[str, JobRow]) -> Finding:
    """Its last execution is over: the job is still held by it, or there never was one."""
    last = each.executions[-1]
    row = claims.get(last.arn) or JobRow(
        job_id=last.name,
        status=RUNNING,
        execution=last.arn,
        updated_at=last.started or each.at,
        bucket=each.photo.bucket,
        key=each.photo.key,
    )
    told = f"its execution is {last.status}: {last.reason}"
    return Finding(STUCK, each.photo.uri, told, row=row)
