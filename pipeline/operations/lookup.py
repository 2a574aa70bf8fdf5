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
    """What is known of a job. AWS forgets executions after 90 days; a lost one has no row."""

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
    row = table.row(name) or table.of_execution(arn)
    execution = find_execution(site, row.execution if row else arn)
    return Job(row, execution) if row or execution else None


def find_rows(site: Site, wanted: Wanted) -> Iterator[JobRow]:
    """The rows a person asks for, latest first."""
    found = (row for row in JobsTable(site).rows() if row in wanted)
    return iter(sorted(found, key=lambda row: row.updated_at, reverse=True))
