"""Redrive a failed execution: resume it at the state where it failed. AWS only."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.operations.executions import Execution, find_execution, names_version
from pipeline.operations.history import was_caught
from pipeline.operations.jobs_table import JobRow, JobsTable
from pipeline.operations.lookup import Job, find_job, latest_stored
from pipeline.operations.repairing import close_dead
from pipeline.operations.site import Site

_TAKEN_OVER: Final = "another execution has claimed its job since, or the job is done"
REDRIVABLE: Final = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})


class NotRedriven(Exception):
    """An execution cannot be redriven; the message says why and what to do."""


def redrive_named(site: Site, name: str) -> None:
    """Redrive the job that `find_job` finds. Raises NotRedriven, also if AWS does not answer."""
    try:
        job = find_job(site, name)
    except (BotoCoreError, ClientError) as error:
        raise NotRedriven(f"AWS did not answer: {error}") from error
    if job is None:
        raise NotRedriven("there is no such job or execution")
    redrive(site, job)


def redrive(site: Site, job: Job) -> None:
    """Claim the job again for the execution that the operator named, then redrive it."""
    if site.local:
        raise NotRedriven("the local cloud has no Redrive; use `matteline jobs replay`")
    if job.asked is None:
        raise NotRedriven(
            "Step Functions no longer has this execution (90-day limit); use "
            "`matteline jobs replay`"
        )
    try:
        _require_redrivable(site, job.asked, job.row)
        _resume(site, job.asked, job.row)
    except (BotoCoreError, ClientError) as error:
        raise NotRedriven(f"AWS did not redrive it: {error}") from error


def _require_redrivable(site: Site, execution: Execution, row: JobRow | None) -> None:
    if execution.status not in REDRIVABLE:
        raise NotRedriven(
            f"its execution is {execution.status}; only FAILED, TIMED_OUT or ABORTED ones can be "
            "redriven"
        )
    if execution.verdict == "QUARANTINED":
        raise NotRedriven("quarantined: fix the cause, then run `matteline quarantine release`")
    if was_caught(site, execution.arn):
        raise NotRedriven(
            f"{execution.error} was caught, so Redrive cannot resume it; use "
            "`matteline jobs replay`"
        )
    if row and row.execution != execution.arn:
        raise NotRedriven(_TAKEN_OVER)
    if _is_outdated(site, execution):
        raise NotRedriven(
            "its object was replaced or deleted since, so its result must not be published; "
            "a new upload has its own execution"
        )


def _is_outdated(site: Site, execution: Execution) -> bool:
    """Return True if the execution follows the latest version, and that is newer or deleted.

    An execution that has made its outputs does not look at its object again.
    """
    if execution.source is None or names_version(execution.input):
        return False
    latest = latest_stored(site, execution.source)
    return latest is None or (execution.started is not None and latest.at > execution.started)


def _resume(site: Site, execution: Execution, row: JobRow | None) -> None:
    if row and not _claimed_again(site, row, execution):
        raise NotRedriven(_TAKEN_OVER)
    try:
        site.client("stepfunctions").redrive_execution(executionArn=execution.arn)
    except (BotoCoreError, ClientError):
        current = find_execution(site, execution.arn)
        if current and current.running:
            return  # only the answer was lost
        if row:
            close_dead(site, row, current)
        raise


def _claimed_again(site: Site, row: JobRow, execution: Execution) -> bool:
    """Claim the job again; return True if the execution may go on.

    The row of an execution that had claimed no job is deleted instead.
    """
    table = JobsTable(site)
    if row.unclaimed:
        table.forget(row)
        return True
    now = datetime.now(UTC)
    return table.hold(row, after=execution.ended or now, until=now + _lease(site, execution))


def _lease(site: Site, execution: Execution) -> timedelta:
    """Return how long the execution may run, by the definition it was started with."""
    described = site.client("stepfunctions").describe_state_machine_for_execution(
        executionArn=execution.arn
    )
    return timedelta(seconds=json.loads(described["definition"])["TimeoutSeconds"])
