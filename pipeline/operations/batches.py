"""Batches of a caller: backfills whose names say whose they are, followed by their Map Runs."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from pipeline.artifacts import Location
from pipeline.operations.backfill.results import find_manifests
from pipeline.operations.executions import EXECUTION_NAME, Execution, find_execution
from pipeline.operations.owned_ids import made_at, new_id
from pipeline.operations.site import Site
from pipeline.outcomes import Failure, failure_in, read_cause

MACHINE: Final = "backfill"
_CHUNK: Final = 256 * 1024  # bytes that are read of a file of failures at a time
_BETWEEN: Final = "[, \n\r\t"


@dataclass(frozen=True)
class Counts:
    """The objects of a batch, as far as they are listed yet, by what became of them.

    Those that succeeded are done or duplicates. Those that were aborted ran when it was stopped.
    """

    total: int
    pending: int
    running: int
    succeeded: int
    failed: int
    aborted: int


@dataclass(frozen=True)
class FollowedBatch:
    """A batch's execution, and its counts; None before its objects are listed."""

    execution: Execution
    counts: Counts | None

    @property
    def ended(self) -> bool:
        return not self.execution.running


class FailedObject(NamedTuple):
    """An object that failed, and the name of its product's execution if it had one."""

    key: str
    failure: Failure
    execution: str


class FailedPlace(NamedTuple):
    """A place in the failures of a batch: a number of a file, and an offset in bytes."""

    file: int
    offset: int


class FailedPage(NamedTuple):
    """Some failed objects, and where the next ones are; None if there are no more."""

    failed: tuple[FailedObject, ...]
    after: FailedPlace | None


class NoPlace(Exception):
    """There is no failure at this place."""


def new_batch_id(prefix: str, now: datetime, digest: bytes | None = None) -> str:
    """Return a new name for a backfill of the caller with this prefix.

    The same time and digest make the same name.
    """
    return new_id(_owner(prefix), now, digest)


def follow_batch(site: Site, name: str, *, owner: str, visible: str) -> FollowedBatch | None:
    """Find a batch by its id; None if there is none.

    Only batches that were named for the prefix `owner` are found, or any if `visible` is empty.
    """
    if made_at(name, _owner(owner)) is None and (visible or not EXECUTION_NAME.fullmatch(name)):
        return None
    execution = find_execution(site, site.names.execution_arn(MACHINE, name))
    return FollowedBatch(execution, count_items(site, execution.arn)) if execution else None


def read_failures(
    site: Site, name: str, *, after: FailedPlace | None, limit: int
) -> FailedPage | None:
    """Read some failed objects of a batch that has ended; None if it left no report.

    Files are read in chunks: one may have gigabytes. Raises NoPlace if `after` is none.
    """
    files = _files(site, name)
    if files is None:
        return None
    place = after or FailedPlace(0, 0)
    if not 0 <= place.file <= len(files) or place.offset < 0:
        raise NoPlace
    found: list[FailedObject] = []
    for number in range(place.file, len(files)):
        start = place.offset if number == place.file else 0
        for item, end in _items(site, files[number], start):
            if len(found) == limit:
                return FailedPage(tuple(found), FailedPlace(number, start))
            found.append(_failed(item))
            start = end
    return FailedPage(tuple(found), None)


def _owner(prefix: str) -> str:
    return f"batches of {prefix}"  # their ids are none of uploads


def count_items(site: Site, arn: str) -> Counts | None:
    """Read the counts of a backfill's Map Run; None before it has one.

    Step Functions has them for as long as it has the execution.
    """
    states = site.client("stepfunctions")
    runs = states.list_map_runs(executionArn=arn, maxResults=1)["mapRuns"]
    if not runs:
        return None
    told = states.describe_map_run(mapRunArn=runs[0]["mapRunArn"])["itemCounts"]
    return Counts(
        total=told["total"],
        pending=told["pending"],
        running=told["running"],
        succeeded=told["succeeded"],
        failed=told["failed"] + told["timedOut"],
        aborted=told["aborted"],
    )


def _files(site: Site, name: str) -> list[Location] | None:
    """Return the files of failures that the batch's manifests name; None without a manifest."""
    manifests = find_manifests(site, name)
    if not manifests:
        return None
    s3 = site.client("s3")
    listed = [
        json.loads(s3.get_object(Bucket=each.bucket, Key=each.key)["Body"].read())["ResultFiles"]
        for each in manifests
    ]
    bucket = manifests[0].bucket
    return [
        Location(bucket, file["Key"])
        for files in listed
        for status in ("FAILED", "TIMED_OUT", "ABORTED")
        for file in files.get(status, ())
    ]


def _items(site: Site, file: Location, start: int) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Yield the entries of a JSON array from an offset on, each with the offset of its end."""
    s3, decoder = site.client("s3"), json.JSONDecoder()
    try:
        body = s3.get_object(Bucket=file.bucket, Key=file.key, Range=f"bytes={start}-")["Body"]
    except s3.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 416:
            raise NoPlace from error
        raise
    text, offset, decode = "", start, codecs.getincrementaldecoder("utf-8")("replace").decode
    for chunk in body.iter_chunks(_CHUNK):
        text += decode(chunk)
        while item := text.lstrip(_BETWEEN):
            try:
                entry, end = decoder.raw_decode(item)
            except ValueError:
                break  # the rest is in the next chunk
            if not isinstance(entry, dict):
                raise NoPlace
            end += len(text) - len(item)
            offset += len(text[:end].encode())
            text = text[end:]
            yield entry, offset
    if text.strip(f"{_BETWEEN}]"):
        raise NoPlace


def _failed(item: Mapping[str, Any]) -> FailedObject:
    """Read the ResultWriter's entry of a child execution, whose cause has the product's own."""
    if not isinstance(item.get("Input"), str):
        raise NoPlace
    error, cause = item.get("Error") or item.get("Status", ""), item.get("Cause") or ""
    execution = read_cause(cause).get("Name")
    return FailedObject(
        key=str(json.loads(item["Input"])["key"]),
        failure=failure_in(error, cause),
        execution=execution if isinstance(execution, str) else "",
    )
