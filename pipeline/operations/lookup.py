"""Find a job by its id, its execution's name or ARN, and read what was published for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from pipeline.artifacts import Location
from pipeline.operations.executions import (
    Execution,
    find_execution,
    find_processing,
    source_of,
)
from pipeline.operations.jobs_table import JobRow, JobsTable
from pipeline.operations.site import Site


@dataclass(frozen=True)
class Job:
    """A job's row in the jobs table, and its executions in Step Functions.

    `row` is None if nothing was recorded. `asked` is the execution that the caller named, or the
    one that it was handed over to, and `latest` the one that the row names; they differ once
    another execution has claimed the job.
    Either is None if Step Functions has deleted it, which it does after 90 days.
    """

    row: JobRow | None
    asked: Execution | None
    latest: Execution | None


@dataclass(frozen=True)
class Wanted:
    """A filter of rows; a field that is None does not restrict them."""

    status: str | None = None
    error: str | None = None
    since: datetime | None = None
    product: str | None = None
    prefix: str | None = None

    def __contains__(self, row: JobRow) -> bool:
        return (
            self.status in {None, row.status}
            and self.error in {None, row.error}
            and self.product in {None, row.product}
            and (self.since is None or row.updated_at >= self.since)
            and (row.key or "").startswith(self.prefix or "")
        )


def find_job(site: Site, name: str) -> Job | None:
    """Find a job of any product, by its id or by an execution's name or ARN.

    Returns None if neither the jobs table nor Step Functions has it. If executions of two
    products have one name, the first product's is found; the ARN finds the other. An execution
    that handed its input over stands for the one that processes it.
    """
    table = JobsTable(site)
    record = table.row(name)
    if record is not None and not record.unclaimed:
        return job_of(site, record)
    arns = [record.execution] if record else _possible_arns(site, name)
    asked = find_processing(site, arns)
    row = _row_of(table, [asked.arn] if asked else arns) or record
    if row is None:
        return Job(None, asked, asked) if asked else None
    read = {asked.arn: asked} if asked else dict.fromkeys(arns)
    if row.execution in read:
        return Job(row, asked, read[row.execution])
    return Job(row, asked, find_execution(site, row.execution))


def job_of(site: Site, row: JobRow) -> Job:
    """Return the job of a row, with the execution that the row names."""
    latest = find_execution(site, row.execution)
    return Job(row, latest, latest)


def _possible_arns(site: Site, name: str) -> Sequence[str]:
    if name.startswith("arn:"):
        return [name]
    return [site.names.execution_arn(product.machine, name) for product in site.products]


def _row_of(table: JobsTable, arns: Sequence[str]) -> JobRow | None:
    """Return the job these executions have claimed, else one they once claimed, else a record."""
    rows = [row for arn in arns if (row := table.of_execution(arn))]
    own = next((row for row in rows if not row.unclaimed), None)
    return own or table.claimed_by(arns) or next(iter(rows), None)


def find_rows(site: Site, wanted: Wanted) -> Iterator[JobRow]:
    """Return the rows that the filter allows, latest first."""
    found = (row for row in JobsTable(site).rows() if row in wanted)
    return iter(sorted(found, key=lambda row: row.updated_at, reverse=True))


def read_output_record(site: Site, row: JobRow) -> dict[str, Any] | None:
    """Read the output record where the job publishes it; None if there is none."""
    return read_record(site, row.manifest)


def read_record(site: Site, uri: str) -> dict[str, Any] | None:
    """Read an output record or a reason; None if there is none, empty if it is no JSON object."""
    if not uri.startswith("s3://"):
        return None
    place = Location.parse(uri)
    s3 = site.client("s3")
    try:
        content = s3.get_object(Bucket=place.bucket, Key=place.key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None
    try:
        stored = json.loads(content)
    except ValueError:
        return {}
    return stored if isinstance(stored, dict) else {}


def published_files(record: Mapping[str, Any], bucket: str) -> dict[str, Mapping[str, Any] | None]:
    """Return every file in the output bucket that a record names, by its `s3://` address.

    The value is what the record states of it, such as bytes and sha256; None if it only names it.
    """
    stated = {each["uri"]: each for each in _stated(record, f"s3://{bucket}/")}
    named = {f"s3://{bucket}/{key}" for key in record.get("outputs", ())}
    return {uri: stated.get(uri) for uri in sorted(named | stated.keys())}


def _stated(value: object, prefix: str) -> Iterator[Mapping[str, Any]]:
    """Yield each description of a file, at any depth, whose address begins with `prefix`."""
    if isinstance(value, Mapping):
        if {"uri", "bytes", "sha256"} <= value.keys() and str(value["uri"]).startswith(prefix):
            yield value
        for each in value.values():
            yield from _stated(each, prefix)
    elif isinstance(value, list):
        for each in value:
            yield from _stated(each, prefix)


def read_reason(site: Site, row: JobRow) -> dict[str, Any]:
    """Read the reason.json of a quarantined job; empty if the row names none or it is missing."""
    return read_record(site, row.reason) or {}


def quarantined_key(reason: dict[str, Any]) -> str:
    """Return the key that the quarantined input names: a row without a job has none."""
    source = source_of(reason.get("replay", {}).get("input"))
    return source.key if source else ""


class Stored(NamedTuple):
    """An object as S3 lists it. `at` is when it was uploaded, in whole seconds."""

    etag: str
    bytes: int
    at: datetime


def latest_stored(site: Site, place: Location) -> Stored | None:
    """Return the latest version under a key; None if there is none or it was deleted."""
    s3 = site.client("s3")
    try:
        head = s3.head_object(Bucket=place.bucket, Key=place.key)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        return None
    return Stored(str(head["ETag"]).strip('"'), head["ContentLength"], head["LastModified"])


def is_stored(site: Site, place: Location) -> bool:
    """Return False if exactly this version of an object is gone, or the latest was deleted.

    A key whose latest version is a deletion still has older versions for a while.
    """
    if latest_etag(site, place) is None:
        return False
    version = {"VersionId": place.version_id} if place.version_id else {}
    s3 = site.client("s3")
    try:
        s3.head_object(Bucket=place.bucket, Key=place.key, **version)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        return False
    return True


def latest_etag(site: Site, source: Location) -> str | None:
    """Return the ETag of the latest version under an object's key; None if it was deleted.

    It is listed, so whoever asks need not be allowed to read the object.
    """
    listed = _first_below(site, source.bucket, source.key)
    return listed["ETag"].strip('"') if listed and listed["Key"] == source.key else None


def first_key(site: Site, bucket: str, folder: str) -> str | None:
    """Return the first key that begins with `folder`; None if there is none."""
    listed = _first_below(site, bucket, folder)
    return listed["Key"] if listed else None


def is_empty(site: Site, bucket: str, folder: str) -> bool:
    """Return True if no object's key begins with `folder`."""
    return _first_below(site, bucket, folder) is None


def _first_below(site: Site, bucket: str, prefix: str) -> Mapping[str, str] | None:
    listed = site.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
    return next(iter(listed.get("Contents", ())), None)
