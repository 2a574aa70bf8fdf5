"""Follow an upload or a job from outside, by any of its names: what state it is in, and why.

For a caller who waits: nothing reads the whole table, as `lookup` may for an operator, and what is
not below the keys that the caller may see is not found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from pipeline.artifacts import Location
from pipeline.operations.executions import (
    EXECUTION_NAME,
    Execution,
    find_execution,
    find_processing,
)
from pipeline.operations.jobs_table import (
    DELETED,
    DONE,
    FAILED,
    QUARANTINED,
    RUNNING,
    JobRow,
    JobsTable,
)
from pipeline.operations.lookup import is_empty, published_files, read_output_record, read_reason
from pipeline.operations.repairing import GONE
from pipeline.operations.site import Site
from pipeline.operations.uploading import Upload, read_upload
from pipeline.operations.verdicts import DUPLICATE, WAITING
from pipeline.outcomes import Failure, failure_in

EXPIRED: Final = "EXPIRED"
_MOST_JOBS: Final = 20  # of one upload: its form can be sent more than once


@dataclass(frozen=True)
class Followed:
    """An upload or a job, and its state: WAITING and EXPIRED uploads have no object yet.

    A job is DELETED if it was done and its results were deleted, on request or with its photo.

    `row` and `execution` are those that say so, if it needed them.
    """

    state: str
    source: Location
    upload: Upload | None = None
    row: JobRow | None = None
    execution: Execution | None = None

    @property
    def ended(self) -> bool:
        return self.state not in {WAITING, RUNNING}


class Result(NamedTuple):
    """A published result: where its record is, what it states, and what it states of each file."""

    record: Location
    stated: Mapping[str, Any]
    files: Mapping[str, Mapping[str, Any] | None]


def follow(site: Site, name: str, *, owner: str, visible: str) -> Followed | None:
    """Find an upload by its id, or a job by its id or an execution's name; None if there is none.

    `owner` is the prefix that the caller's uploads have. Only objects of the ingest bucket whose
    keys begin with `visible` are found, or any object if `visible` is empty.
    """
    if upload := read_upload(name, owner):
        return _of_upload(site, upload)
    if not EXECUTION_NAME.fullmatch(name):  # ids of jobs are such names too
        return None
    found = _named(site, name)
    if found is None or not visible:
        return found
    own = found.source.bucket == site.names.bucket("ingest")
    return found if own and found.source.key.startswith(visible) else None


def failure_of(site: Site, followed: Followed) -> Failure:
    """Return why a job is FAILED or QUARANTINED."""
    row, execution = followed.row, followed.execution
    if execution is not None:
        return failure_in(execution.error or execution.status, execution.cause or "")
    if row is None:
        return Failure(GONE)
    if row.status != QUARANTINED:
        return failure_in(row.error, row.reason)
    reason = read_reason(site, row)
    return Failure(row.error, str(reason.get("message", "")), str(reason.get("hint", "")))


def result_of(site: Site, followed: Followed) -> Result | None:
    """Return the result of a job that is done; None if it was deleted or another job's is there."""
    row = followed.row
    record = read_output_record(site, row) if row else None
    if row is None or record is None or record.get("job_id") != row.job_id:
        return None
    files = published_files(record, site.names.bucket("output"))
    return Result(Location.parse(row.manifest), record, files)


def _of_upload(site: Site, upload: Upload) -> Followed:
    """Follow the job that was recorded last for an upload's object."""
    bucket, table = site.names.bucket("ingest"), JobsTable(site)
    rows = table.below(bucket, upload.folder, limit=_MOST_JOBS).rows
    latest = max(rows, key=lambda row: row.updated_at, default=None)
    if row := latest and table.row(latest.job_id):
        found = _of_row(site, row)
        return Followed(found.state, found.source, upload, found.row, found.execution)
    if not is_empty(site, bucket, upload.folder):
        return Followed(RUNNING, Location(bucket, upload.folder), upload)
    state = WAITING if datetime.now(UTC) < upload.expires_at else EXPIRED
    return Followed(state, Location(bucket, upload.folder), upload)


def _named(site: Site, name: str) -> Followed | None:
    row = JobsTable(site).row(name)
    if row is not None and site.product_of(row.execution) is None:
        return None  # a run of a machine that is no product's, such as an action of a collection
    if row is not None and not row.unclaimed:
        return _of_row(site, row)
    arns = [site.names.execution_arn(product.machine, name) for product in site.products]
    execution = find_processing(site, arns)
    if execution is not None:
        return _of_execution(site, execution, row)
    return _of_row(site, row) if row else None


def _of_row(site: Site, row: JobRow) -> Followed:
    """Follow a job from its row, which says RUNNING for a moment after the end."""
    source = Location(row.bucket, row.key)
    if row.released and (newer := find_execution(site, row.released_by)):
        return _of_execution(site, newer, row)
    if row.status != RUNNING:
        return Followed(row.status, source, row=row)
    execution = find_execution(site, row.execution)
    if execution is None:
        return Followed(FAILED, source)
    return _of_execution(site, execution, row)


def _of_execution(site: Site, execution: Execution, row: JobRow | None) -> Followed:
    """Follow one execution: a job that it did has a row, which is read if it is not `row`."""
    source = execution.source or Location("", "")
    if execution.handed_to:  # Step Functions has deleted the one that it was handed over to
        return _of_row(site, row) if row else Followed(FAILED, source)
    verdict = RUNNING if execution.running else execution.verdict
    if verdict in {DONE, DUPLICATE}:
        row = JobsTable(site).row(str(execution.output["job_id"]))
    state = verdict if verdict in {RUNNING, DONE, DUPLICATE, QUARANTINED} else FAILED
    if state in {DONE, DUPLICATE} and row and row.status == DELETED:
        state = DELETED
    return Followed(state, source, row=row, execution=execution)
