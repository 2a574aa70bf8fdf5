"""Decide how one accepted object ended for its product: exactly one state, or a finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from pipeline.artifacts import Location
from pipeline.declared.products import Product
from pipeline.operations.executions import Execution
from pipeline.operations.jobs_table import DELETED, DONE, FAILED, QUARANTINED, RUNNING, JobRow

DUPLICATE: Final = "DUPLICATE"
WAITING: Final = "WAITING"

LOST: Final = "lost"
STUCK: Final = "stuck"
DOUBLED: Final = "doubled"
UNPUBLISHED: Final = "unpublished"
UNRECORDED: Final = "unrecorded"
OVERWRITTEN: Final = "overwritten"
ALTERED: Final = "altered"
WITHDRAWN: Final = "withdrawn"
KINDS: Final = (
    LOST, STUCK, DOUBLED, UNPUBLISHED, UNRECORDED, OVERWRITTEN, ALTERED, WITHDRAWN,
)  # fmt: skip


@dataclass(frozen=True)
class Accepted:
    """One version of an uploaded object, and a product's executions for it, oldest first."""

    source: Location
    etag: str
    at: datetime
    product: Product
    executions: tuple[Execution, ...] = ()


@dataclass(frozen=True)
class Finding:
    """Something an audit found wrong.

    `lost` is the object whose execution the repair starts, `row` the row that it writes, `again`
    the execution whose object it processes again.
    """

    kind: str
    what: str
    why: str
    lost: Accepted | None = None
    row: JobRow | None = None
    again: Execution | None = None


@dataclass(frozen=True)
class Verdict:
    """The state of an object. `error` is the name of its error, if it has one."""

    state: str
    error: str = ""
    finding: Finding | None = None


def verdict_of(each: Accepted, claims: Mapping[str, JobRow], patience: timedelta) -> Verdict:
    """Return the object's state. `claims` has the row of every execution that claimed a job."""
    if not each.executions:
        return _without_execution(each, patience)
    if any(execution.running for execution in each.executions):
        return Verdict(RUNNING)
    found = [_recorded(execution, claims) for execution in each.executions]
    known = [verdict for verdict in found if verdict is not None]
    settled = [verdict for verdict in known if verdict.state != DUPLICATE]
    if settled or known:
        return (settled or known)[-1]
    if just_ended(each.executions[-1], patience):
        return Verdict(WAITING)
    return Verdict(STUCK.upper(), finding=_unrecorded(each, claims))


def just_ended(execution: Execution, patience: timedelta) -> bool:
    """Return True if the execution ended within `patience`: its record may be pending."""
    ended = execution.ended
    return ended is not None and datetime.now(UTC) - ended < patience


def _without_execution(each: Accepted, patience: timedelta) -> Verdict:
    if datetime.now(UTC) - each.at < patience:
        return Verdict(WAITING)
    why = f"no execution of {each.product.machine} was started for it"
    return Verdict(LOST.upper(), finding=Finding(LOST, each.source.uri, why, lost=each))


def _recorded(execution: Execution, claims: Mapping[str, JobRow]) -> Verdict | None:
    """Return how an ended execution is recorded; None if it is not."""
    row = claims.get(execution.arn)
    if execution.status == "SUCCEEDED":
        deleted = row and row.execution == execution.arn and row.status == DELETED
        return Verdict(DELETED if deleted else execution.verdict)
    if row is None:
        return None
    if row.execution != execution.arn:  # another execution has claimed the job since
        state = QUARANTINED if execution.verdict == QUARANTINED else FAILED
        return Verdict(state, execution.error or execution.status)
    settled = row.status in {DONE, DELETED} or _closed(row)
    return Verdict(row.status, row.error) if settled else None


def _closed(row: JobRow) -> bool:
    return row.status != RUNNING and bool(row.error)


def _unrecorded(each: Accepted, claims: Mapping[str, JobRow]) -> Finding:
    """Return the finding for an ended execution whose row says RUNNING or does not exist."""
    last = each.executions[-1]
    row = claims.get(last.arn) or JobRow(
        job_id=last.name,
        status=RUNNING,
        execution=last.arn,
        updated_at=last.started or each.at,
        bucket=each.source.bucket,
        key=each.source.key,
        product=each.product.name,
        machine=each.product.machine,
    )
    why = f"its execution is {last.status}: {last.reason}"
    return Finding(STUCK, each.source.uri, why, row=row)
