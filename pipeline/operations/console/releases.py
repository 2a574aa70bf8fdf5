"""Read which version of each container is live, and how its last release ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pipeline.operations.scanning import every_row
from pipeline.operations.site import Site

_TABLE: Final = "releases"
_VERSION: Final = "@"  # between container and version in the row of a version that was live


@dataclass(frozen=True)
class Live:
    """The version that answers calls, its image's digest, and since when; None if unknown."""

    version: str
    digest: str
    at: datetime | None


@dataclass(frozen=True)
class LastRelease:
    """A container's last release: the ARN of its execution, its status, and its error."""

    execution: str
    status: str
    error: str | None
    at: datetime


@dataclass(frozen=True)
class ReleasedContainer:
    name: str
    live: Live | None
    last: LastRelease | None


def released_containers(site: Site) -> Mapping[str, ReleasedContainer]:
    """Return the containers that a release was started of, by name; none on a local cloud."""
    rows = {
        row["release_id"]: row
        for item in every_row(site.client("dynamodb"), site.names.table(_TABLE))
        if (row := {name: next(iter(value.values())) for name, value in item.items()})
    }
    return {name: _container(name, row, rows) for name, row in rows.items() if _VERSION not in name}


def _container(
    name: str, row: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]
) -> ReleasedContainer:
    live = None
    if version := row.get("live"):
        released = rows.get(f"{name}{_VERSION}{version}", {})
        digest = str(released.get("digest") or row.get("digest", ""))
        live = Live(version, digest, _moment(released.get("updated_at")))
    at = _moment(row.get("updated_at"))
    last = None
    if at is not None:
        error = row.get("error")
        last = LastRelease(str(row.get("execution", "")), str(row["status"]), error, at)
    return ReleasedContainer(name, live, last)


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
