"""Why something was refused: the reason.json that the cutout machine wrote."""

from __future__ import annotations

import json
from typing import Any

from pipeline.artifacts import Location
from pipeline.operations.executions import photo_of
from pipeline.operations.jobs_table import JobRow
from pipeline.operations.site import Site


def read_reason(site: Site, row: JobRow) -> dict[str, Any]:
    """What stands at the row's `reason`; empty where the row has none, or it is not there."""
    if not row.reason.startswith("s3://"):
        return {}
    place = Location.parse(row.reason)
    s3 = site.client("s3")
    try:
        content = s3.get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return {}
    reason: dict[str, Any] = json.loads(content)
    return reason


def refused_key(reason: dict[str, Any]) -> str:
    """The key of what was refused, as the input names it; a row without a job has none itself."""
    photo = photo_of(reason.get("replay", {}).get("input"))
    return photo.key if photo else ""
