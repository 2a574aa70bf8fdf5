"""Repair what is safe: close jobs whose execution ended, start executions, publish again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from pipeline.operations.executions import (
    Execution,
    find_execution,
    names_version,
    start_after,
    start_once,
    typed_input,
)
from pipeline.operations.jobs_table import DONE, FAILED, JobRow, JobsTable
from pipeline.operations.lookup import latest_etag
from pipeline.operations.site import Site
from pipeline.operations.verdicts import UNRECORDED, Accepted, Finding

GONE: Final = "ExecutionGone"


@dataclass(frozen=True)
class Repair:
    """What a repair did, in words; `started` is the ARN of an execution if it started one."""

    words: str
    started: str | None = None


def repair(site: Site, finding: Finding) -> Repair:
    """Repair a finding if no operator has to decide how."""
    if finding.lost is not None:
        return _start_unless_deleted(site, finding.lost)
    if finding.again is not None:
        return _publish_again(site, finding.again)
    if finding.row is None:
        return Repair("not repaired: an operator must decide")
    if finding.kind == UNRECORDED:
        status = DONE if JobsTable(site).finish(finding.row) else None
    else:
        status = close_dead(site, finding.row, find_execution(site, finding.row.execution))
    return Repair(f"recorded as {status}" if status else "not repaired: the job has changed since")


def close_dead(site: Site, row: JobRow, execution: Execution | None) -> str | None:
    """Record the end of a job that says RUNNING, and return its new status.

    `execution` is the one that the row names; None if Step Functions has deleted it. The job
    becomes DONE if it succeeded, else FAILED with its error. A failed execution may still
    be redriven: the job stays its own until another execution claims it. Returns None if the
    execution runs, or the row has changed.
    """
    if execution is not None and execution.running:
        return None
    if execution is not None and execution.status == "SUCCEEDED":
        return DONE if JobsTable(site).finish(row) else None
    error, reason = _end_of(execution, row)
    return FAILED if JobsTable(site).close(row, error=error, reason=reason) else None


def _end_of(execution: Execution | None, row: JobRow) -> tuple[str, str]:
    """Return the error to record for an execution that failed or was deleted, and the reason."""
    if execution is None:
        return GONE, f"{GONE}: Step Functions no longer has {row.execution}; upload the file again"
    if execution.error:
        return execution.error, execution.reason
    return execution.status, f"{execution.status}: the execution was stopped or timed out"


def _publish_again(site: Site, before: Execution) -> Repair:
    """Process the object of an execution once more: its latest version, unless a user named one."""
    product = site.product_of(before.arn)
    if before.source is None or product is None:
        return Repair("not repaired: an operator must decide")
    if not names_version(before.input) and latest_etag(site, before.source) is None:
        return Repair("not repaired: the object was deleted")
    given = typed_input(before.input, force=True)
    started = start_after(site, product.machine, given, why="repair", before=before.arn)
    return Repair(f"started {started}", started)


def _start_unless_deleted(site: Site, lost: Accepted) -> Repair:
    if latest_etag(site, lost.source) is None:
        return Repair("not repaired: the object was deleted")
    started = _start_lost(site, lost)
    return Repair(f"started {started}", started)


def _start_lost(site: Site, lost: Accepted) -> str:
    """Start the execution that the upload should have started, once; return its ARN.

    Its input has the shape of the S3 event. If the object was replaced since, it fails with
    SourceChanged, as the event would have.
    """
    bucket, key, version_id = lost.source
    stored: dict[str, JsonValue] = {"key": key, "etag": lost.etag}
    if version_id is not None:
        stored["version-id"] = version_id
    event: JsonValue = {
        "detail-type": "Object Created",
        "source": "matteline",
        "detail": {"bucket": {"name": bucket}, "object": stored},
    }
    return start_once(site, lost.product.machine, event, why="found")
