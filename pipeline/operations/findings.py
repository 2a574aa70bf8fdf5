"""What an audit may find, and what can be done about it without a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pipeline.operations.accepted import Accepted, latest_etag
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

    `lost` is set where starting it is the repair, `row` where writing it is.
    """

    kind: str
    what: str
    told: str
    lost: Accepted | None = None
    row: JobRow | None = None


def repair(site: Site, finding: Finding) -> str:
    """Mend what can be mended without a person: what was done, or that nothing was."""
    if finding.lost is not None:
        deleted = latest_etag(site, finding.lost.photo) is None
        told = "left for a person: it was deleted since"
        return told if deleted else f"started {start_lost(site, finding.lost)}"
    if finding.kind == UNRECORDED and finding.row is not None:
        return "recorded as DONE" if record_done(site, finding.row) else "it has moved on by itself"
    if finding.row is not None:
        closed = close_dead(site, finding.row)
        return f"closed as {closed}" if closed else "it has moved on by itself"
    return "left for a person"
