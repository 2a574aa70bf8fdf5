"""What the output and quarantine buckets hold about a job."""

from __future__ import annotations

import json
from typing import Any

from pipeline.artifacts import Location
from pipeline.operations.executions import photo_of
from pipeline.operations.jobs_table import JobRow
from pipeline.operations.site import Site


def read_manifest(site: Site, row: JobRow) -> dict[str, Any] | None:
    """The manifest at the place the job publishes to; None if there is none."""
    return _read(site, row.manifest)


def read_reason(site: Site, row: JobRow) -> dict[str, Any]:
    """The reason.json of a refused job; empty where the row names none, or it is not there."""
    return _read(site, row.reason) or {}


def refused_key(reason: dict[str, Any]) -> str:
    """The key of what was refused, as the input names it; a row without a job has none itself."""
    photo = photo_of(reason.get("replay", {}).get("input"))
    return photo.key if photo else ""


def _read(site: Site, uri: str) -> dict[str, Any] | None:
    if not uri.startswith("s3://"):
        return None
    place = Location.parse(uri)
    s3 = site.client("s3")
    try:
        content = s3.get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None
    stored: dict[str, Any] = json.loads(content)
    return stored
