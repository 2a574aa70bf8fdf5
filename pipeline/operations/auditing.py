"""Every accepted object against the jobs table and the executions: none lost, none doubled.

A photo ends as exactly one of DONE, DUPLICATE, QUARANTINED and FAILED, or is on its way. What is
anything else is a finding:

- lost         no execution was ever started for it
- stuck        its execution is over and nothing says how, or its job is held by nobody
- doubled      one job was cut out more than once, and nobody forced it
- unpublished  a finished job whose manifest is not in the output bucket
- unrecorded   a job that is not finished, and whose execution published its manifest

Bucket and table are read as streams: what is older than the audit looks back is let go at once.
What is of that time is held, some 7 kB for each photo (a day of 50,000: 360 MB), because nothing
comes in the order of anything else: executions by time, objects by key, rows by neither. Reading
those executions takes AWS an hour and a half.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.operations.accepted import Accepted, accepted_since
from pipeline.operations.executions import Execution, executions_since, find_execution
from pipeline.operations.findings import DOUBLED, STUCK, UNPUBLISHED, UNRECORDED, Finding
from pipeline.operations.jobs_table import DONE, FAILED, RUNNING, JobRow, JobsTable
from pipeline.operations.published import read_manifest
from pipeline.operations.site import Site
from pipeline.operations.verdicts import Verdict, just_ended, verdict_of


@dataclass(frozen=True)
class Audit:
    """How every object that arrived has ended, and what is wrong."""

    verdicts: Sequence[tuple[Accepted, Verdict]]
    findings: Sequence[Finding]

    @property
    def states(self) -> Counter[str]:
        return Counter(verdict.state for _, verdict in self.verdicts)

    @property
    def errors(self) -> Counter[str]:
        """How often each error's name was the end of an object."""
        return Counter(verdict.error for _, verdict in self.verdicts if verdict.error)

    def count(self, kind: str) -> int:
        return sum(finding.kind == kind for finding in self.findings)


def audit(site: Site, since: datetime, *, patience: timedelta) -> Audit:
    """Look at every object that arrived since then.

    One younger than `patience` may still be waiting for its execution, and an execution that
    ended within it for its record.
    """
    since = since.replace(microsecond=0)  # as S3 tells the time of arrival
    executions = list(executions_since(site, since))
    started = {each.arn for each in executions}
    rows = [row for row in JobsTable(site).rows() if _concerns(row, since, started)]
    claims = {arn: row for row in rows for arn in (*row.claimed_by, row.execution)}
    photos = accepted_since(site, since, executions)
    verdicts = [(each, verdict_of(each, claims, patience)) for each in photos]
    found = [verdict.finding for _, verdict in verdicts if verdict.finding]
    findings = [
        *found,
        *_held_by_nobody(site, rows, {each.row.job_id for each in found if each.row}, patience),
        *_doubled(executions),
        *_against_output(site, [row for row in rows if row.updated_at >= since]),
    ]
    return Audit(verdicts, findings)


def _concerns(row: JobRow, since: datetime, started: Collection[str]) -> bool:
    """Whether a row is of this time, still open, or once claimed by one of these executions."""
    changed = row.updated_at >= since or row.status == RUNNING
    return changed or any(arn in started for arn in (*row.claimed_by, row.execution))


def _held_by_nobody(
    site: Site, rows: Sequence[JobRow], known: Collection[str], patience: timedelta
) -> Iterator[Finding]:
    """Rows that say RUNNING of an execution that is not, and that no object has told of yet."""
    for row in rows:
        if row.status != RUNNING or row.job_id in known:
            continue
        execution = find_execution(site, row.execution)
        if execution and (execution.running or just_ended(execution, patience)):
            continue
        status = execution.status if execution else "no more"
        told = f"its execution {row.execution_name} is {status}"
        yield Finding(STUCK, row.job_id, told, row=row)


def _doubled(executions: Sequence[Execution]) -> Iterator[Finding]:
    done = Counter(
        str(execution.output["job_id"])
        for execution in executions
        if execution.verdict == DONE and not execution.forced
    )
    for job_id, times in done.items():
        if times > 1:
            yield Finding(DOUBLED, job_id, f"cut out {times} times without being forced")


def _against_output(site: Site, rows: Sequence[JobRow]) -> Iterator[Finding]:
    """What the table says of each job is what the output bucket has."""
    for row in rows:
        if row.status == DONE and read_manifest(site, row) is None:
            yield Finding(UNPUBLISHED, row.job_id, f"{row.manifest} is not there")
        if row.status == FAILED and row.manifest:
            published = read_manifest(site, row) or {}
            if (published.get("job_id"), published.get("execution")) == (row.job_id, row.execution):
                told = f"{row.manifest} was published before its execution failed"
                yield Finding(UNRECORDED, row.job_id, told, row=row)
