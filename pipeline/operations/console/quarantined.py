"""List what is in quarantine, with the reason of each, latest first."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipeline.operations.console.machines import at_once
from pipeline.operations.jobs_table import QUARANTINED, JobRow, JobsTable
from pipeline.operations.lookup import quarantined_key, read_reason
from pipeline.operations.site import Site


@dataclass(frozen=True)
class Quarantined:
    """A job in quarantine: its row, and its reason.json, which is empty if it is missing."""

    row: JobRow
    reason: Mapping[str, Any]

    @property
    def key(self) -> str:
        return self.row.key or quarantined_key(dict(self.reason))

    @property
    def options(self) -> Mapping[str, Any]:
        """Return the options that its input names; an upload's are in its object's metadata."""
        given = self.reason.get("replay", {}).get("input")
        options = given.get("options") if isinstance(given, dict) else None
        return options if isinstance(options, dict) else {}


class QuarantinePlace(NamedTuple):
    """Where the list goes on: the id of the last job of the rows before, and how many to skip."""

    after: str
    skip: int


class QuarantinePage(NamedTuple):
    jobs: Sequence[Quarantined]
    next: QuarantinePlace | None


def list_quarantined(site: Site, place: QuarantinePlace | None, *, limit: int) -> QuarantinePage:
    """Return jobs in quarantine that were not released, latest first among a thousand at a time."""
    after, skip = place or QuarantinePlace("", 0)
    found = JobsTable(site).with_status(QUARANTINED, after=after or None)
    rows = sorted(
        (row for row in found.rows if not row.released),
        key=lambda row: row.updated_at,
        reverse=True,
    )
    shown = rows[skip : skip + limit]
    more: QuarantinePlace | None = None
    if skip + limit < len(rows):
        more = QuarantinePlace(after, skip + limit)
    elif found.after:
        more = QuarantinePlace(found.after, 0)
    return QuarantinePage(at_once(functools.partial(_read, site), shown), more)


def _read(site: Site, row: JobRow) -> Quarantined:
    return Quarantined(row, read_reason(site, row))
