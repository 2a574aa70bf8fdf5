"""Compare what is at the output keys with the executions that published there.

Several jobs may have one output key: other bytes or other options under one name, and names that
differ only in their suffix. The execution that started last and ended well says whose result
belongs there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from pipeline.artifacts import Location
from pipeline.errors import SourceChanged, SourceMissing
from pipeline.operations.executions import LONG_AGO, Execution, find_execution, names_version
from pipeline.operations.jobs_table import DELETED, DONE, FAILED, QUARANTINED, RUNNING, JobRow
from pipeline.operations.lookup import latest_stored, published_files, read_record
from pipeline.operations.site import Site
from pipeline.operations.verdicts import (
    ALTERED,
    DUPLICATE,
    OVERWRITTEN,
    UNPUBLISHED,
    WITHDRAWN,
    Finding,
)

_OUTDATED: Final = {SourceChanged.__name__, SourceMissing.__name__}
_SECOND: Final = timedelta(seconds=1)


class Deletion(NamedTuple):
    """When a key was deleted, in whole seconds, and whether that is the latest of the key."""

    at: datetime
    is_latest: bool


class Life(NamedTuple):
    """When versions of a key were uploaded, in whole seconds, and when it was deleted."""

    uploads: Sequence[datetime]
    deletions: Sequence[Deletion]

    def is_over(self, moment: datetime) -> bool:
        """Return True if the key was certainly deleted at a moment, and not uploaded again."""
        before = [each for each in self.deletions if each.at + _SECOND <= moment]
        if not before:
            return False
        last = before[-1]
        return last.is_latest or not any(last.at <= each <= moment for each in self.uploads)


@dataclass(frozen=True)
class Result:
    """The result that belongs at an output key: the job, and the execution that ended with it."""

    job_id: str
    manifest: str
    execution: Execution | None


def findings_of_outputs(
    site: Site,
    rows: Sequence[JobRow],
    executions: Sequence[Execution],
    lives: Mapping[str, Life],
    *,
    content: bool,
) -> Iterator[Finding]:
    """Yield what is missing, another job's, altered or withdrawn at the output keys.

    `lives` has the keys of the ingest bucket that were deleted. With `content`, outputs are read
    and hashed; without, only their sizes are compared. Keys of running jobs are left out.
    """
    busy = {row.manifest for row in rows if row.status == RUNNING}
    of_job = {row.job_id: row for row in rows}
    for result in _expected(site, rows, executions):
        row = of_job.get(result.job_id)
        if result.manifest in busy or _has_failed(result, row):
            continue
        record = read_record(site, result.manifest)
        if row and row.status == DELETED:
            yield from _kept(result, record or {})
        elif record is None:
            missing = f"{result.manifest} does not exist"
            yield from _missing(site, result, missing)
        elif record.get("job_id") != result.job_id:
            why = f"{result.manifest} is the record of job {record.get('job_id')}"
            yield Finding(OVERWRITTEN, result.job_id, why, again=result.execution)
        else:
            yield from _of_record(site, result, record, content=content)
            yield from _withdrawn(site, result, record, lives)


def _expected(
    site: Site, rows: Sequence[JobRow], executions: Sequence[Execution]
) -> Iterator[Result]:
    """Yield one result for each output record, of the execution that started last."""
    latest: dict[str, Result] = {}
    ended = (each for each in executions if each.verdict in {DONE, DUPLICATE})
    for execution in sorted(ended, key=lambda each: each.started or LONG_AGO):
        told = execution.output
        manifest = told["manifest"] if execution.verdict == DONE else told["first"]["manifest"]
        latest[manifest] = Result(told["job_id"], manifest, execution)
    yield from latest.values()
    done = (row for row in rows if row.status == DONE and row.manifest not in {"", *latest})
    last = {row.manifest: row for row in sorted(done, key=lambda row: row.updated_at)}
    for row in last.values():
        yield Result(row.job_id, row.manifest, find_execution(site, row.execution))


def _has_failed(result: Result, row: JobRow | None) -> bool:
    """Return True if the execution ended as a duplicate of an execution that failed afterwards.

    That an object was replaced or deleted does not count as a failure: the same photo may have been
    uploaded again.
    """
    if row is None or result.execution is None or result.execution.verdict != DUPLICATE:
        return False
    return row.status in {FAILED, QUARANTINED} and row.error not in _OUTDATED


def _kept(result: Result, record: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield a finding if the deletion of a job's results was interrupted."""
    if record.get("job_id") == result.job_id:
        why = f"its results were deleted, but {result.manifest} is still there; delete it again"
        yield Finding(WITHDRAWN, result.job_id, why)


def _missing(site: Site, result: Result, why: str) -> Iterator[Finding]:
    """Yield a finding, unless the object was deleted too: then its outputs may be missing."""
    source = result.execution.source if result.execution else None
    if source is None or latest_stored(site, source) is not None:
        yield Finding(UNPUBLISHED, result.job_id, why, again=result.execution)


def _of_record(
    site: Site, result: Result, record: Mapping[str, Any], *, content: bool
) -> Iterator[Finding]:
    """Compare every output with its size and SHA-256 in the record."""
    bucket = site.names.bucket("output")
    for uri, said in published_files(record, bucket).items():
        place = Location.parse(uri)
        stored = latest_stored(site, place)
        if stored is None:
            yield from _missing(site, result, f"{uri} does not exist")
        elif said and (
            stored.bytes != said["bytes"] or (content and _sha256(site, place) != said["sha256"])
        ):
            why = f"{uri} is not what its record states"
            yield Finding(ALTERED, result.job_id, why, again=result.execution)


def _withdrawn(
    site: Site, result: Result, record: Mapping[str, Any], lives: Mapping[str, Life]
) -> Iterator[Finding]:
    execution = result.execution
    if execution is None or execution.source is None or names_version(execution.input):
        return
    life = lives.get(execution.source.key)
    its_own = execution.source.bucket == site.names.bucket("ingest")
    if life and its_own and life.is_over(datetime.fromisoformat(record["published_at"])):
        why = f"its object was deleted before {result.manifest} was published; delete its outputs"
        yield Finding(WITHDRAWN, result.job_id, why)


def _sha256(site: Site, place: Location) -> str:
    digest = hashlib.sha256()
    answer = site.client("s3").get_object(Bucket=place.bucket, Key=place.key)
    for chunk in answer["Body"].iter_chunks():
        digest.update(chunk)
    return digest.hexdigest()
