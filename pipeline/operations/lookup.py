"""A job by whatever a person has at hand: its id, its execution's name, or that one's ARN."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pipeline.operations.executions import Execution, find_execution
from pipeline.operations.jobs_table import JobRow, JobsTable
from pipeline.operations.site import Site


@dataclass(frozen=True)
class Job:
    """What is known of a job. AWS forgets executions after 90 days; a lost one has no row.

    `execution` is the one that was asked for: the row may be another's by now.
    """

    row: JobRow | None
    execution: Execution | None


@dataclass(frozen=True)
class Wanted:
    """Which rows a person asks for; None asks for any."""

    status: str | None = None
    error: str | None = None
    since: datetime | None = None

    def __contains__(self, row: JobRow) -> bool:
        return (
            self.status in {None, row.status}
            and self.error in {None, row.error}
            and (self.since is None or row.updated_at >= self.since)
        )


def find_job(site: Site, name: str) -> Job | None:
    """The job `name` stands for, or None if neither table nor Step Functions knows it."""
    table = JobsTable(site)
    arn = name if name.startswith("arn:") else site.names.execution_arn("cutout", name)
    of_job = table.row(name)
    if of_job is not None and of_job.job_id != of_job.execution_name:
        return Job(of_job, find_execution(site, of_job.execution))
    row = _row_of_execution(table, arn) or of_job
    execution = find_execution(site, arn)
    return Job(row, execution) if row or execution else None


def _row_of_execution(table: JobsTable, arn: str) -> JobRow | None:
    """What it holds; else what it once claimed, whoever has that now; else its own record."""
    row = table.of_execution(arn)
    if row is not None and row.job_id != row.execution_name:
        return row
    return table.claimed_by(arn) or row


def find_rows(site: Site, wanted: Wanted) -> Iterator[JobRow]:
    """The rows a person asks for, latest first."""
    found = (row for row in JobsTable(site).rows() if row in wanted)
    return iter(sorted(found, key=lambda row: row.updated_at, reverse=True))
