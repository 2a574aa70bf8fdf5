"""Every object the ingest bucket accepted, and the executions that were started for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby

from pipeline.artifacts import Location
from pipeline.operations.executions import Execution
from pipeline.operations.site import Site

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Accepted:
    """One version of an object, and its executions, oldest first."""

    photo: Location
    etag: str
    at: datetime
    executions: tuple[Execution, ...] = ()


def accepted_since(
    site: Site, since: datetime, executions: Iterable[Execution]
) -> Iterator[Accepted]:
    """Every object version that arrived since then, with the executions it is the photo of.

    By key, and under a key oldest first; no more than one key's versions are held at a time.
    S3 tells whole seconds, so `since` is one. An input without a version means the one that was
    the latest when the execution started.
    """
    bucket = site.names.bucket("ingest")
    of_key: dict[str, list[Execution]] = defaultdict(list)
    for execution in sorted(executions, key=lambda each: each.started or _LONG_AGO):
        photo = execution.photo
        if photo is not None and photo.bucket == bucket:
            of_key[photo.key].append(execution)
    for key, listed in groupby(_versions(site, bucket), key=lambda each: each.photo.key):
        versions = sorted(listed, key=lambda each: each.at)
        yield from _matched(versions, of_key.get(key, ()), since)


def _matched(
    versions: Sequence[Accepted], executions: Iterable[Execution], since: datetime
) -> Iterator[Accepted]:
    """The versions of one key that arrived since then, each with its own executions."""
    started: dict[Location, list[Execution]] = defaultdict(list)
    for execution in executions:
        if execution.photo is not None:
            started[_meant(execution.photo, versions, execution)].append(execution)
    for each in versions:
        if each.at >= since:
            yield replace(each, executions=tuple(started[each.photo]))


def latest_etag(site: Site, photo: Location) -> str | None:
    """The ETag of what lies under the photo's key now; None if it was deleted."""
    s3 = site.client("s3")
    try:
        head = s3.head_object(Bucket=photo.bucket, Key=photo.key)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        return None
    return str(head["ETag"]).strip('"')


def _meant(photo: Location, versions: Sequence[Accepted], execution: Execution) -> Location:
    if photo.version_id is not None:
        return photo
    before = [each.photo for each in versions if each.at <= (execution.started or _LONG_AGO)]
    return before[-1] if before else photo


def _versions(site: Site, bucket: str) -> Iterator[Accepted]:
    """Every version of every object: S3 lists all of a key together."""
    pages = site.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket)
    for page in pages:
        for row in page.get("Versions", []):
            if row["Key"].endswith("/"):
                continue  # a folder's marker starts nothing: cutout.trigger.json
            version = None if row["VersionId"] == "null" else row["VersionId"]
            photo = Location(bucket, row["Key"], version)
            yield Accepted(photo, row["ETag"].strip('"'), row["LastModified"])
