"""Whether buckets and table say the same about every job, down to the bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, Final

from pipeline.artifacts import Location
from pipeline.local.deployment import NAMES
from pipeline.operations.jobs_table import DONE, FAILED, QUARANTINED, JobRow, JobsTable
from pipeline.operations.lookup import published_files, read_output_record, read_reason
from tests.faults.storm import Storm

TIMEOUT: Final = "States.Timeout"  # of a task: Step Functions tells no cause
ENDS: Final = frozenset({"DONE", "DUPLICATE", "QUARANTINED", "FAILED"})


def disagreements(storm: Storm) -> list[str]:
    """Every job of which the table, the output and the quarantine bucket tell different stories."""
    return [told for row in JobsTable(storm.site).rows() for told in _told_of(storm, row)]


def _told_of(storm: Storm, row: JobRow) -> Iterator[str]:
    manifest = read_output_record(storm.site, row) or {}
    its_own = manifest.get("execution") == row.execution
    if row.status == DONE and row.product in {product.name for product in storm.site.products}:
        if manifest.get("source", {}).get("key") != row.key:
            yield f"{row.key}: DONE, and its manifest is {manifest.get('job_id')}'s"
        yield from _spoilt_files(storm, row, manifest)
    if row.status in {FAILED, QUARANTINED} and its_own:
        yield f"{row.key}: {row.status}, and its manifest is published"
    if row.status in {FAILED, QUARANTINED} and not row.error:
        yield f"{row.key}: {row.status} of no named error"
    if row.status == FAILED and not row.reason and row.error != TIMEOUT:
        yield f"{row.key}: FAILED without a reason"
    if row.status == QUARANTINED and not read_reason(storm.site, row).get("hint"):
        yield f"{row.key}: QUARANTINED without a reason to act on"


def _spoilt_files(storm: Storm, row: JobRow, manifest: dict[str, Any]) -> Iterator[str]:
    """Files in the output bucket that are not the bytes the manifest promises."""
    for uri, stated in published_files(manifest, NAMES.bucket("output")).items():
        place = Location.parse(uri)
        s3 = storm.cloud.client("s3")
        content = s3.get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
        if stated is None or hashlib.sha256(content).hexdigest() != stated["sha256"]:
            yield f"{row.key}: {uri} is not what {json.dumps(manifest['job_id'])} made"
