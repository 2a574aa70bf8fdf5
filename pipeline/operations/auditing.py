"""Compare every accepted object with the jobs table, the executions and the outputs.

For each product that processes it, an object ends as exactly one of DONE, DUPLICATE, QUARANTINED
and FAILED, or is still running. It is DELETED if it was DONE and its results were deleted on
request. An object that was handed over to another product is that product's alone. Anything else is
a finding:

- lost         no execution was started for it
- stuck        its execution has ended and its end is not recorded, or its job has no execution
- doubled      one job was done more than once without `force`
- unpublished  a finished job whose output record, or an output that it names, is missing
- unrecorded   an unfinished job whose execution published its output record
- overwritten  a finished job, the last one for its output key, which has another job's record
- altered      an output that is not what its record states
- withdrawn    published, although the object had been deleted, or left over from a deletion

Bucket and table are read as streams, and only what is not older than `since` is kept: about 7 kB
for each object (360 MB for a day of 50,000), because executions come by time, objects by key and
rows in no order. AWS takes an hour and a half to describe that many executions.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from pipeline.artifacts import Location
from pipeline.declared.products import Product, taker
from pipeline.operations.executions import LONG_AGO, Execution, executions_since, find_execution
from pipeline.operations.jobs_table import DONE, FAILED, RUNNING, JobRow, JobsTable
from pipeline.operations.lookup import read_output_record
from pipeline.operations.published import Deletion, Life, findings_of_outputs
from pipeline.operations.site import Site
from pipeline.operations.verdicts import (
    DOUBLED,
    STUCK,
    UNRECORDED,
    Accepted,
    Finding,
    Verdict,
    just_ended,
    verdict_of,
)
from pipeline.outcomes import HANDED_OVER

Deletions = defaultdict[str, list[Deletion]]  # by key


@dataclass(frozen=True)
class Audit:
    """The verdict on every object for each product, and all findings."""

    verdicts: Sequence[tuple[Accepted, Verdict]]
    findings: Sequence[Finding]

    @property
    def states(self) -> Mapping[str, Counter[str]]:
        """Return the number of objects in each state, by product name."""
        states: dict[str, Counter[str]] = defaultdict(Counter)
        for each, verdict in self.verdicts:
            states[each.product.name][verdict.state] += 1
        return states

    @property
    def errors(self) -> Counter[str]:
        """Return the number of objects that ended with each error."""
        return Counter(verdict.error for _, verdict in self.verdicts if verdict.error)

    def count(self, kind: str) -> int:
        return sum(finding.kind == kind for finding in self.findings)


def audit(
    site: Site,
    since: datetime,
    *,
    patience: timedelta,
    product: Product | None = None,
    content: bool = False,
) -> Audit:
    """Check every object uploaded since `since`, for one product or for all.

    An object uploaded within `patience` may still wait for its execution, and an execution that
    ended within `patience` for its record. With `content`, outputs are read and hashed.
    """
    products = (product,) if product else site.products
    since = since.replace(microsecond=0)  # as S3's timestamps are
    executions = list(executions_since(site, since, products))
    started = {each.arn for each in executions}
    rows = [
        row
        for row in JobsTable(site).rows()
        if _concerns(row, since, started) and (product is None or row.product == product.name)
    ]
    claims = {arn: row for row in rows for arn in (*row.claimed_by, row.execution)}
    deletions: Deletions = defaultdict(list)
    accepted = accepted_since(site, since, executions, deletions)
    judged = [
        (each, verdict_of(each, claims, patience)) for each in accepted if each.product in products
    ]
    verdicts = [found for found in judged if not _ends_elsewhere(site, *found, started)]
    found = [verdict.finding for _, verdict in verdicts if verdict.finding]
    findings = [
        *found,
        *_without_live_execution(
            site, rows, {each.row.job_id for each in found if each.row}, patience
        ),
        *_doubled(executions, rows),
        *_unrecorded(site, [row for row in rows if row.updated_at >= since]),
        *findings_of_outputs(
            site,
            [row for row in rows if row.updated_at >= since or row.status == RUNNING],
            executions,
            _lives(verdicts, deletions),
            content=content,
        ),
    ]
    return Audit(verdicts, findings)


def accepted_since(
    site: Site, since: datetime, executions: Iterable[Execution], deletions: Deletions
) -> Iterator[Accepted]:
    """Yield every object version uploaded since `since`, once for each product that processes it.

    What was deleted since then is noted in `deletions`.

    Versions come by key, oldest first, and are held in memory for one key at a time. The products
    are the one that takes the key, and every other that has an execution for it. S3 timestamps
    have one-second resolution: pass `since` in whole seconds. An input without a version means
    the version that was the latest when the execution started.
    """
    bucket = site.names.bucket("ingest")
    of_key: dict[str, list[Execution]] = defaultdict(list)
    for execution in sorted(executions, key=lambda each: each.started or LONG_AGO):
        source = execution.source
        if source is not None and source.bucket == bucket:
            of_key[source.key].append(execution)
    listing = _versions(site, bucket, since, deletions)
    for key, listed in groupby(listing, key=lambda each: each.source.key):
        oldest_first = list(listed)[::-1]  # S3 lists the newest first, also of one second
        versions = sorted(oldest_first, key=lambda each: each.at)
        started = _by_version(versions, of_key.get(key, ()))
        for each in versions:
            if each.at >= since:
                yield from _by_product(site, each, started[each.source])


def _by_version(
    versions: Sequence[Accepted], executions: Iterable[Execution]
) -> Mapping[Location, list[Execution]]:
    """Group the executions for one key by the version that each of them processes."""
    started: dict[Location, list[Execution]] = defaultdict(list)
    for execution in executions:
        if execution.source is not None:
            started[_meant(execution.source, versions, execution)].append(execution)
    return started


def _meant(source: Location, versions: Sequence[Accepted], execution: Execution) -> Location:
    if source.version_id is not None:
        return source
    before = [each.source for each in versions if each.at <= (execution.started or LONG_AGO)]
    return before[-1] if before else source


def _by_product(
    site: Site, version: Accepted, executions: Iterable[Execution]
) -> Iterator[Accepted]:
    """Yield the version for the product that takes its key, and for others that have executions."""
    started: dict[str, list[Execution]] = defaultdict(list)
    for execution in executions:
        if product := site.product_of(execution.arn):
            started[product.name].append(execution)
    for product in site.products:
        if product == version.product or product.name in started:
            yield replace(version, product=product, executions=tuple(started[product.name]))


def _versions(site: Site, bucket: str, since: datetime, deletions: Deletions) -> Iterator[Accepted]:
    """Yield every version of every object: S3 lists all versions of a key together."""
    pages = site.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket)
    for page in pages:
        for row in page.get("DeleteMarkers", []):
            if row["LastModified"] >= since:
                deletions[row["Key"]].append(Deletion(row["LastModified"], row["IsLatest"]))
        for row in page.get("Versions", []):
            product = taker(row["Key"], site.products)
            if product is None:
                continue  # a folder marker, which starts nothing
            version = None if row["VersionId"] == "null" else row["VersionId"]
            source = Location(bucket, row["Key"], version)
            yield Accepted(source, row["ETag"].strip('"'), row["LastModified"], product)


def _ends_elsewhere(site: Site, each: Accepted, verdict: Verdict, started: Collection[str]) -> bool:
    """Return True if another product's execution says how the object ended.

    A hand-over without that execution is kept: its object would be missed.
    """
    if verdict.state != HANDED_OVER:
        return False
    other = next(arn for one in reversed(each.executions) if (arn := one.handed_to))
    return other in started or find_execution(site, other) is not None


def _concerns(row: JobRow, since: datetime, started: Collection[str]) -> bool:
    """Return True if a row changed since `since`, is RUNNING, or was claimed by a `started` one."""
    changed = row.updated_at >= since or row.status == RUNNING
    return changed or any(arn in started for arn in (*row.claimed_by, row.execution))


def _without_live_execution(
    site: Site, rows: Sequence[JobRow], known: Collection[str], patience: timedelta
) -> Iterator[Finding]:
    """Yield RUNNING jobs whose execution does not run, except those in `known`."""
    for row in rows:
        if row.status != RUNNING or row.job_id in known:
            continue
        execution = find_execution(site, row.execution)
        if execution and (execution.running or just_ended(execution, patience)):
            continue
        status = execution.status if execution else "deleted"
        yield Finding(STUCK, row.job_id, f"its execution {row.execution_name} is {status}", row=row)


def _lives(
    verdicts: Sequence[tuple[Accepted, Verdict]], deletions: Deletions
) -> Mapping[str, Life]:
    """Return the uploads and deletions of every key that was deleted, oldest first."""
    uploads: dict[str, set[datetime]] = defaultdict(set)
    for each, _ in verdicts:
        uploads[each.source.key].add(each.at)
    return {key: Life(sorted(uploads[key]), sorted(gone)) for key, gone in deletions.items()}


def _doubled(executions: Sequence[Execution], rows: Sequence[JobRow]) -> Iterator[Finding]:
    """Yield jobs done more than once, but for those whose result was found missing in between."""
    started = {each.arn for each in executions}
    missed = {row.job_id: len(started.intersection(row.missed_by)) for row in rows}
    done = Counter(
        str(execution.output["job_id"])
        for execution in executions
        if execution.verdict == DONE and not execution.forced
    )
    for job_id, times in done.items():
        if times > 1 + missed.get(job_id, 0):
            yield Finding(DOUBLED, job_id, f"done {times} times without force")


def _unrecorded(site: Site, rows: Sequence[JobRow]) -> Iterator[Finding]:
    """Yield failed jobs whose execution published their output record all the same."""
    for row in rows:
        if row.status == FAILED and row.manifest:
            published = read_output_record(site, row) or {}
            if (published.get("job_id"), published.get("execution")) == (row.job_id, row.execution):
                why = f"{row.manifest} was published before its execution failed"
                yield Finding(UNRECORDED, row.job_id, why, row=row)
