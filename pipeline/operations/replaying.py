"""The recorded input, started again: once, until that too has ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from pipeline.operations.accepted import latest_etag
from pipeline.operations.executions import Execution, find_execution, photo_of
from pipeline.operations.jobs_table import DONE, RUNNING, JobRow, JobsTable
from pipeline.operations.published import read_reason
from pipeline.operations.repairing import close_dead
from pipeline.operations.site import Site
from pipeline.operations.starting import start_after


@dataclass(frozen=True)
class Changes:
    """What is to be different this time: `force` a finished job, other `options`."""

    force: bool = False
    options: dict[str, Any] | None = None

    @property
    def none(self) -> bool:
        return not self.force and self.options is None


@dataclass(frozen=True)
class Replay:
    """What became of one row: `execution` is the new one's ARN, empty if `refused` says why not."""

    row: JobRow
    execution: str = ""
    refused: str = ""


def replay(site: Site, row: JobRow, changes: Changes, *, dry_run: bool = False) -> Replay:
    """Start the row's recorded input again and note that on the row, unless it may not be.

    Asked twice for one execution, it starts one; once that has ended, it starts the next.
    """
    try:
        return _replay(site, row, changes, dry_run=dry_run)
    except ClientError as error:
        return Replay(row, refused=f"AWS refused: {error}")


def _replay(site: Site, row: JobRow, changes: Changes, *, dry_run: bool) -> Replay:
    before = find_execution(site, row.execution)
    refused = _refusal(row, before, changes)
    recorded = before.input if before else read_reason(site, row).get("replay", {}).get("input")
    if not refused and recorded is None:
        refused = "its execution is forgotten and no reason.json has the input: drop it again"
    refused = refused or _superseded(site, recorded, changes)
    if refused or dry_run:
        return Replay(row, refused=refused)
    if row.status == RUNNING and before and not close_dead(site, row):
        return Replay(row, refused="another execution has just taken it over")
    given = changed(recorded, changes)
    execution = start_after(site, given, why="replay", before=row.execution)
    JobsTable(site).mark_released(row, by=execution)
    return Replay(row, execution)


def changed(recorded: Any, changes: Changes) -> Any:  # noqa: ANN401 - JSON
    """The recorded input with `changes`; an event cannot carry any and becomes a typed input."""
    if changes.none:
        return recorded
    photo = photo_of(recorded)
    typed = {} if photo is None else {"bucket": photo.bucket, "key": photo.key}
    if photo is not None and photo.version_id is not None:
        typed["version_id"] = photo.version_id
    before = recorded if isinstance(recorded, dict) and "detail-type" not in recorded else {}
    options = {} if changes.options is None else {"options": changes.options}
    return {**before, **typed, **options, "force": changes.force}


def _superseded(site: Site, recorded: Any, changes: Changes) -> str:  # noqa: ANN401 - JSON
    """Why an event may not become a typed input: that one is not held against what came since."""
    match recorded:
        case {"detail-type": _, "detail": {"object": {"etag": str(etag)}}} if not changes.none:
            photo = photo_of(recorded)
        case _:
            return ""
    if photo is None or latest_etag(site, photo) == etag:
        return ""
    return f"{photo.uri} was replaced or deleted since; drop it again to have it this way"


def _refusal(row: JobRow, before: Execution | None, changes: Changes) -> str:
    if before is not None and before.running:
        return "it is running"
    if row.status == DONE and not changes.force:
        return "it is done; --force runs it again"
    return ""
