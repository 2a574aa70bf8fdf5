"""Replay a job: start its recorded input again, once until that execution has ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from pipeline.operations.executions import source_of, start_after, typed_input
from pipeline.operations.jobs_table import DONE, RUNNING, JobRow, JobsTable
from pipeline.operations.lookup import Job, latest_etag, read_reason
from pipeline.operations.repairing import close_dead
from pipeline.operations.site import Site


class NotReplayed(Exception):
    """A job cannot be replayed; the message says why and what to do."""


@dataclass(frozen=True)
class Changes:
    """Changes to the recorded input: `force` reruns a finished job, `options` replace its own."""

    force: bool = False
    options: dict[str, Any] | None = None

    @property
    def none(self) -> bool:
        return not self.force and self.options is None


@dataclass(frozen=True)
class Replay:
    """The ARN of a job's new execution, or why none was started. A dry run has neither."""

    row: JobRow
    started: str | None = None
    refused: str | None = None


def replay(site: Site, job: Job, changes: Changes, *, dry_run: bool = False) -> Replay:
    """Start the recorded input of a job that has a row, and note the new execution in the row.

    While the new execution runs, a second call starts nothing; after it has ended, a call starts
    the next replay.
    """
    if job.row is None:
        raise ValueError("only a recorded job can be replayed")
    try:
        return Replay(job.row, started=start_again(site, job, job.row, changes, dry_run=dry_run))
    except NotReplayed as error:
        return Replay(job.row, refused=str(error))
    except ClientError as error:
        return Replay(job.row, refused=f"AWS denied it: {error}")


def start_again(
    site: Site, job: Job, row: JobRow, changes: Changes, *, dry_run: bool = False
) -> str | None:
    """Do as `replay` does; return the ARN, None for a dry run. Raises NotReplayed if refused."""
    if job.latest is not None and job.latest.running:
        raise NotReplayed("it is running")
    if row.status == DONE and not changes.force:
        raise NotReplayed("it is done; use --force to run it again")
    if not row.machine:
        raise NotReplayed(f"{row.execution} belongs to no product's state machine")
    recorded = _recorded_input(site, job, row)
    _require_latest_version(site, recorded, changes)
    if dry_run:
        return None
    if row.status == RUNNING and job.latest:
        closed = close_dead(site, row, job.latest) is not None
        if not closed and not _was_closed(site, row):
            raise NotReplayed("another execution has just claimed it")
    given = _changed(recorded, changes)
    started = start_after(site, row.machine, given, why="replay", before=row.execution)
    JobsTable(site).mark_released(row, by=started)
    return started


def _was_closed(site: Site, row: JobRow) -> bool:
    """Return True if the row's own execution has been recorded as ended since the row was read."""
    now = JobsTable(site).row(row.job_id)
    return now is not None and now.execution == row.execution and now.status != RUNNING


def _recorded_input(site: Site, job: Job, row: JobRow) -> Any:  # noqa: ANN401 - JSON
    if job.latest is not None:
        return job.latest.input
    recorded = read_reason(site, row).get("replay", {}).get("input")
    if recorded is None:
        raise NotReplayed(
            "Step Functions no longer has its execution, and no reason.json has its input; "
            "upload the file again"
        )
    return recorded


def _changed(recorded: Any, changes: Changes) -> Any:  # noqa: ANN401 - JSON
    if changes.none:
        return recorded
    options = {} if changes.options is None else {"options": changes.options}
    return typed_input(recorded, **options, force=changes.force)


def _require_latest_version(site: Site, recorded: Any, changes: Changes) -> None:  # noqa: ANN401
    """Raise NotReplayed if an event would become a typed input, but its object was replaced.

    A typed input may name any version; an event for replaced bytes fails with SourceChanged.
    """
    match recorded:
        case {"detail-type": _, "detail": {"object": {"etag": str(etag)}}} if not changes.none:
            source = source_of(recorded)
        case _:
            return
    if source is not None and latest_etag(site, source) != etag:
        raise NotReplayed(
            f"{source.uri} was replaced or deleted; upload it again to apply these options"
        )
