"""Closes jobs that nobody works on any more, and starts what was never started."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from pipeline.operations.accepted import Accepted
from pipeline.operations.executions import Execution, find_execution
from pipeline.operations.jobs_table import DONE, FAILED, JobRow, JobsTable
from pipeline.operations.site import Site
from pipeline.operations.starting import start_once

GONE: Final = "ExecutionGone"


def close_dead(site: Site, row: JobRow) -> str:
    """What it is recorded as now: nothing if its execution runs, or the row has moved on since.

    FAILED, with the execution's own error, unless that ended well. A failed one may still be
    redriven: the job stays its own until another claims it.
    """
    execution = find_execution(site, row.execution)
    if execution is not None and execution.running:
        return ""
    if execution is not None and execution.status == "SUCCEEDED":
        return DONE if record_done(site, row) else ""
    error, reason = _end_of(execution, row)
    return FAILED if JobsTable(site).close(row, error=error, reason=reason) else ""


def _end_of(execution: Execution | None, row: JobRow) -> tuple[str, str]:
    """The error of an execution that ended badly, or is gone, and the reason to record."""
    if execution is None:
        return GONE, f"{GONE}: {row.execution} is no more; drop the photo again"
    if execution.error:
        return execution.error, execution.reason
    return execution.status, f"{execution.status}: the execution was ended"


def record_done(site: Site, row: JobRow) -> bool:
    """DONE, for a job whose execution fell between publishing and saying so."""
    return JobsTable(site).finish(row)


def start_lost(site: Site, lost: Accepted) -> str:
    """Start the execution an object never got; its ARN. However often it is asked, it is one.

    Its input has the shape of the event that never came: if the object was replaced since, it
    ends as SourceChanged, as that event would have.
    """
    bucket, key, version_id = lost.photo
    stored: dict[str, JsonValue] = {"key": key, "etag": lost.etag}
    if version_id is not None:
        stored["version-id"] = version_id
    given: JsonValue = {
        "detail-type": "Object Created",
        "source": "matteline",
        "detail": {"bucket": {"name": bucket}, "object": stored},
    }
    return start_once(site, given, why="found")
