"""Delete what a job published, so that nothing claims afterwards to be whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.artifacts import Location
from pipeline.operations.executions import find_execution
from pipeline.operations.jobs_table import DELETED, DONE, JobRow, JobsTable
from pipeline.operations.lookup import latest_stored, published_files, read_output_record
from pipeline.operations.site import Site
from pipeline.operations.speaker_names import delete_names


class NotDeleted(Exception):
    """A job has no results that could be deleted; the message says why."""


def delete_results(site: Site, row: JobRow, *, visible: str = "") -> list[Location]:
    """Delete a finished job's outputs and its output record; return those that were there.

    The job is marked first: it has no results from then on. The record goes last, because it names
    the files: a deletion that was interrupted goes on when it is asked for again. Another job's
    result at the same key stays; files of this one that its record does not name are deleted, and
    so are names that were given to its speakers. The bucket is versioned, so an operator can
    restore the files.

    Raises NotDeleted if the job is not done, or is being done again: its files are new ones then,
    and stay. Raises ValueError for a file whose key does not begin with `visible`.
    """
    if row.status not in {DONE, DELETED}:
        raise NotDeleted(f"it is {row.status.lower()}")
    record = read_output_record(site, row) or {}
    own = record.get("job_id") == row.job_id
    outputs = published_files(record, site.names.bucket("output")) if own else {}
    places = [Location.parse(uri) for uri in (*outputs, *([row.manifest] if own else []))]
    places += [] if own else _left_over(site, row, record)
    if outside := [place.uri for place in places if not place.key.startswith(visible)]:
        raise ValueError(f"{outside[0]} is a result outside of its owner's keys")
    table = JobsTable(site)
    if row.status == DONE:
        table.mark_deleted(row)  # or another request has, at the same time
    names = delete_names(site, row.manifest, row.job_id)
    for place in places:
        _require_deleted(table, row)
        site.client("s3").delete_object(Bucket=place.bucket, Key=place.key)
    _require_deleted(table, row)
    return [*places, *([names] if names else [])]


def _left_over(site: Site, row: JobRow, record: Mapping[str, Any]) -> list[Location]:
    """Return the job's files that another job's record, which replaced its own, does not name.

    Its execution states them, for the 90 days that Step Functions keeps it.
    """
    execution, bucket = find_execution(site, row.execution), site.names.bucket("output")
    stated = published_files(execution.output, bucket) if execution else {}
    others = published_files(record, bucket)
    found = {Location.parse(uri): facts for uri, facts in stated.items() if uri not in others}
    return [place for place, facts in found.items() if facts and _is_still(site, place, facts)]


def _is_still(site: Site, place: Location, facts: Mapping[str, Any]) -> bool:
    """Return False if the file is gone, or a running job has just replaced it."""
    stored = latest_stored(site, place)
    return stored is not None and stored.bytes == facts["bytes"]


def _require_deleted(table: JobsTable, row: JobRow) -> None:
    now = table.row(row.job_id)
    if now is None or (now.status, now.execution) != (DELETED, row.execution):
        raise NotDeleted("it has changed just now")
