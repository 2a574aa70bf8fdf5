"""Read the summary of a backfill and the result of each of its objects from the work bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from pipeline.artifacts import Location
from pipeline.operations.site import Site
from pipeline.outcomes import read_cause

_MANIFEST: Final = "/manifest.json"


class ObjectResult(NamedTuple):
    """One line of a report: an object, and the job and execution that processed it."""

    key: str
    status: str
    job_id: str
    error: str
    execution: str


class Summary(NamedTuple):
    """A backfill's name, its error, and the number of its objects by outcome."""

    backfill: str
    total: int
    succeeded: int
    failed: int
    aborted: int
    timed_out: int
    error: str


def read_summary(site: Site, execution: str) -> Summary | None:
    """Read the summary of a backfill, given by name or ARN; None if it wrote none yet."""
    name = execution.rpartition(":")[2]
    place = Location(site.names.bucket("work"), f"backfill/{name}/summary.json")
    try:
        told = _read(site, place)
    except site.client("s3").exceptions.NoSuchKey:
        return None
    return Summary(told["backfill"], **told["counts"], error=told["error"] or "")


def find_manifests(site: Site, execution: str) -> list[Location]:
    """Return where the manifests of a backfill's results are, given its name or ARN.

    Empty while it runs.
    """
    name = execution.rpartition(":")[2]
    bucket = site.names.bucket("work")
    pages = (
        site.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=bucket, Prefix=f"backfill/{name}/results/")
    )
    keys = [stored["Key"] for page in pages for stored in page.get("Contents", [])]
    return [Location(bucket, key) for key in keys if key.endswith(_MANIFEST)]


def read_results(site: Site, manifest: Location) -> Iterator[ObjectResult]:
    """Yield the result of every object in the manifest's files."""
    for files in _read(site, manifest)["ResultFiles"].values():
        for file in files:
            for item in _read(site, Location(manifest.bucket, file["Key"])):
                yield object_result(item)


def object_result(item: dict[str, Any]) -> ObjectResult:
    """Parse the ResultWriter's entry for one child execution; its input and output are JSON texts.

    A backfill that was started before it had products has its output under `cutout`.
    """
    asked = json.loads(item["Input"])
    output = json.loads(item.get("Output") or "{}")
    answered = output.get("result") or output.get("cutout", {})
    return ObjectResult(
        key=asked["key"],
        status=answered.get("status") or item["Status"],
        job_id=answered.get("job_id", ""),
        # That of the product's execution, which the child reports as States.TaskFailed.
        error=str(read_cause(item.get("Cause", "")).get("Error", item.get("Error", ""))),
        execution=answered.get("execution") or item["ExecutionArn"],
    )


def _read(site: Site, place: Location) -> Any:  # noqa: ANN401 - JSON
    return json.loads(
        site.client("s3").get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
    )
