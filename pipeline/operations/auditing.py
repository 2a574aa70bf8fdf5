"""Every accepted object against the jobs table and the executions: none lost, none doubled.

A photo ends as exactly one of DONE, DUPLICATE, QUARANTINED and FAILED, or is on its way. What is
anything else is a finding:

- lost         no execution was ever started for it
- stuck        its execution is over and nothing says how, or its job is held by nobody
- doubled      one job was cut out more than once, and nobody forced it
- unpublished  a finished job whose manifest is not in the output bucket
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.artifacts import Location
from pipeline.operations.accepted import accepted_since
from pipeline.operations.executions import Execution, executions_since, find_execution
from pipeline.operations.findings import DOUBLED, STUCK, UNPUBLISHED, Finding
from pipeline.operations.jobs_table import DONE, RUNNING, JobRow, JobsTable
from pipeline.operations.site import Site
from pipeline.operations.verdicts import verdict_of


@dataclass(frozen=True)
class Audit:
    """How many objects are in which state, under which error names, and what is wrong."""

    states: Mapping[str, int]
    errors: Mapping[str, int]
    findings: Sequence[Finding]

    def count(self, kind: str) -> int:
        return sum(finding.kind == kind for finding in self.findings)


def audit(site: Site, since: datetime, *, patience: timedelta) -> Audit:
    """Look at every object that arrived since then.

    One younger than `patience` may still be waiting for its execution.
    """
    executions = list(executions_since(site, since))
    rows = list(JobsTable(site).rows())
    claims = {arn: row for row in rows for arn in (*row.claimed_by, row.execution)}
    photos = accepted_since(site, since, executions)
    verdicts = [verdict_of(each, claims, patience) for each in photos]
    found = [verdict.finding for verdict in verdicts if verdict.finding]
    return Audit(
        states=Counter(verdict.state for verdict in verdicts),
        errors=Counter(verdict.error for verdict in verdicts if verdict.error),
        findings=[
            *found,
            *_held_by_nobody(site, rows, {each.row.job_id for each in found if each.row}),
            *_doubled(executions),
            *_unpublished(site, [row for row in rows if row.updated_at >= since]),
        ],
    )


def _held_by_nobody(
    site: Site, rows: Sequence[JobRow], known: Collection[str]
) -> Iterator[Finding]:
    """Rows that say RUNNING of an execution that is not, and that no object has told of yet."""
    for row in rows:
        if row.status != RUNNING or row.job_id in known:
            continue
        execution = find_execution(site, row.execution)
        if execution is None or not execution.running:
            status = execution.status if execution else "no more"
            told = f"its execution {row.execution_name} is {status}"
            yield Finding(STUCK, row.job_id, told, row=row, execution=execution)


def _doubled(executions: Sequence[Execution]) -> Iterator[Finding]:
    done = Counter(
        str(execution.output["job_id"])
        for execution in executions
        if execution.verdict == DONE and not execution.forced
    )
    for job_id, times in done.items():
        if times > 1:
            yield Finding(DOUBLED, job_id, f"cut out {times} times without being forced")


def _unpublished(site: Site, rows: Sequence[JobRow]) -> Iterator[Finding]:
    s3 = site.client("s3")
    for row in rows:
        if row.status == DONE:
            place = Location.parse(row.manifest)
            try:
                s3.head_object(Bucket=place.bucket, Key=place.key)
            except s3.exceptions.ClientError:
                yield Finding(UNPUBLISHED, row.job_id, f"{row.manifest} is not there")
