"""What an audit may find, and what can be done about it without a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pipeline.artifacts import Location
from pipeline.operations.executions import Execution
from pipeline.operations.jobs_table import JobRow
from pipeline.operations.repairing import close_dead, record_done, start_lost
from pipeline.operations.site import Site

LOST: Final = "lost"
STUCK: Final = "stuck"
DOUBLED: Final = "doubled"
UNPUBLISHED: Final = "unpublished"
UNRECORDED: Final = "unrecorded"
KINDS: Final = (LOST, STUCK, DOUBLED, UNPUBLISHED, UNRECORDED)


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    `photo` is set where starting it is the repair, `row` where writing it is.
    """

    kind: str
    what: str
    told: str
    photo: Location | None = None
    row: JobRow | None = None
    execution: Execution | None = None


def repair(site: Site, finding: Finding) -> str:
    """Mend what can be mended without a person: what was done, or that nothing was."""
    if finding.photo is not None:
        return f"started {start_lost(site, finding.photo)}"
    if finding.kind == UNRECORDED and finding.row is not None:
        return "recorded as DONE" if record_done(site, finding.row) else "it has moved on by itself"
    if finding.row is not None:
        closed = close_dead(site, finding.row, finding.execution)
        return "closed as FAILED" if closed else "it has moved on by itself"
    return "left for a person"
