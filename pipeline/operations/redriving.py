"""A red execution, resumed at the state where it failed: what AWS calls Redrive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.operations.executions import Execution, find_execution
from pipeline.operations.history import was_caught
from pipeline.operations.jobs_table import JobRow, JobsTable
from pipeline.operations.lookup import Job, find_job
from pipeline.operations.repairing import close_dead
from pipeline.operations.site import Site

LEASE: Final = timedelta(hours=3)
_TAKEN_OVER: Final = "another execution has taken its job over since, or it is done"
_REDRIVABLE: Final = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})


def redrive_named(site: Site, name: str) -> str:
    """Resume what `find_job` finds; empty, or why not. Whatever AWS answers is of this one only."""
    try:
        job = find_job(site, name)
        return redrive(site, job) if job else "there is no such job or execution"
    except (BotoCoreError, ClientError) as error:
        return f"AWS did not answer: {error}"


def redrive(site: Site, job: Job) -> str:
    """Resume the job's execution; empty, or why not. Its job is taken again first."""
    if site.local:
        return "the local cloud has no Redrive; `matteline jobs replay` starts its input again"
    if job.execution is None:
        return "AWS has forgotten its execution; `matteline jobs replay` starts its input again"
    try:
        return _refusal(site, job.execution, job.row) or _resume(site, job.execution, job.row)
    except ClientError as error:
        return f"AWS refused: {error}"


def _refusal(site: Site, execution: Execution, row: JobRow | None) -> str:
    if execution.status not in _REDRIVABLE:
        return f"its execution is {execution.status}; only a red one is redriven"
    if execution.verdict == "QUARANTINED":
        return "it was refused for good; mend it, then `matteline quarantine release` it"
    if was_caught(site, execution.arn):
        return f"{execution.error} was its verdict; `matteline jobs replay` starts its input again"
    return _TAKEN_OVER if row and row.execution != execution.arn else ""


def _resume(site: Site, execution: Execution, row: JobRow | None) -> str:
    if row and not _taken_again(JobsTable(site), row, execution):
        return _TAKEN_OVER
    try:
        site.client("stepfunctions").redrive_execution(executionArn=execution.arn)
    except ClientError:
        current = find_execution(site, execution.arn)
        if current and current.running:
            return ""  # only the answer was lost
        if row:
            close_dead(site, row)
        raise
    return ""


def _taken_again(table: JobsTable, row: JobRow, execution: Execution) -> bool:
    """Whether the execution may go on with its row; one that claimed nothing begins without."""
    if row.unclaimed:
        table.forget(row)
        return True
    now = datetime.now(UTC)
    return table.hold(row, after=execution.ended or now, until=now + LEASE)
