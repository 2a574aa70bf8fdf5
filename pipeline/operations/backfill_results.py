"""What became of a backfill and of each of its photos, out of what it wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from pipeline.artifacts import Location
from pipeline.operations.site import Site

_MANIFEST: Final = "/manifest.json"


class PhotoResult(NamedTuple):
    """One line of the report."""

    key: str
    status: str
    job_id: str
    error: str
    execution: str


class Summary(NamedTuple):
    """A backfill in one line."""

    backfill: str
    total: int
    succeeded: int
    failed: int
    aborted: int
    timed_out: int
    error: str


def read_summary(site: Site, execution: str) -> Summary | None:
    """What a backfill, told by its name or ARN, came to, well or not; None while it runs."""
    name = execution.rpartition(":")[2]
    place = Location(site.names.bucket("work"), f"backfill/{name}/summary.json")
    try:
        told = _read(site, place)
    except site.client("s3").exceptions.NoSuchKey:
        return None
    return Summary(told["backfill"], **told["counts"], error=told["error"] or "")


def find_manifests(site: Site, execution: str) -> list[Location]:
    """Where a backfill, told by its name or ARN, says its results are; nothing while it runs."""
    name = execution.rpartition(":")[2]
    bucket = site.names.bucket("work")
    pages = (
        site.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=bucket, Prefix=f"backfill/{name}/results/")
    )
    keys = [stored["Key"] for page in pages for stored in page.get("Contents", [])]
    return [Location(bucket, key) for key in keys if key.endswith(_MANIFEST)]


def read_results(site: Site, manifest: Location) -> Iterator[PhotoResult]:
    """Every photo that the manifest's files tell of."""
    for files in _read(site, manifest)["ResultFiles"].values():
        for file in files:
            for item in _read(site, Location(manifest.bucket, file["Key"])):
                yield photo_result(item)


def photo_result(item: dict[str, Any]) -> PhotoResult:
    """One child execution as the ResultWriter words it: input and output are JSON in JSON."""
    asked = json.loads(item["Input"])
    answered = json.loads(item.get("Output") or "{}").get("cutout", {})
    return PhotoResult(
        key=asked["key"],
        status=answered.get("status") or item["Status"],
        job_id=answered.get("job_id", ""),
        error=_innermost(item.get("Error", ""), item.get("Cause", "")),
        execution=answered.get("execution") or item["ExecutionArn"],
    )


def _innermost(error: str, cause: str) -> str:
    """The cutout's own error: to the child that waits for it, all are States.TaskFailed."""
    try:
        told = json.loads(cause)
    except ValueError:
        return error
    return str(told.get("Error", error)) if isinstance(told, dict) else error


def _read(site: Site, place: Location) -> Any:  # noqa: ANN401 - JSON
    return json.loads(
        site.client("s3").get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
    )
