"""Photos that were there before anybody dropped them: how many, how dear, and their start."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from pipeline.errors import InvalidOptions
from pipeline.operations.jobs_table import DONE, JobsTable
from pipeline.operations.site import Site

# Standard executions: https://aws.amazon.com/step-functions/pricing, Lambda on x86, first tier.
DOLLARS_PER_TRANSITION: Final = 0.025 / 1_000
DOLLARS_PER_GB_S: Final = 0.0000166667
TRANSITIONS: Final = 18  # of cutout, and of the child that waits for it
_LOOKUPS: Final = 16


@dataclass(frozen=True)
class Batch:
    """Which photos of the ingest bucket, and how. `listed` is a list's key; else the prefix."""

    prefix: str = ""
    listed: str | None = None
    options: dict[str, Any] | None = None
    force: bool = False
    max_concurrency: int = 20
    tolerated_failure_percentage: float = 5.0

    def execution_input(self) -> dict[str, Any]:
        """What the backfill machine is started with."""
        source = {"list": self.listed} if self.listed else {"prefix": self.prefix}
        return source | {
            "force": self.force,
            "options": self.options or {},
            "max_concurrency": self.max_concurrency,
            "tolerated_failure_percentage": self.tolerated_failure_percentage,
        }


@dataclass(frozen=True)
class Estimate:
    """What a batch comes to. Photos whose key has a finished job are looked at and skipped."""

    photos: int
    bytes: int
    missing: int
    done: int

    def dollars(self, *, memory_mb: int, seconds: float) -> float:
        """Transitions and Lambda time of what is not done yet, at so much memory and time each."""
        lambda_time = memory_mb / 1024 * seconds * DOLLARS_PER_GB_S
        return (self.photos - self.done) * (TRANSITIONS * DOLLARS_PER_TRANSITION + lambda_time)


def estimate(site: Site, batch: Batch) -> Estimate:
    """Look at every photo of a batch and start nothing; InvalidOptions for a list without keys."""
    sizes = dict(_sizes(site, batch))
    done = {row.key for row in JobsTable(site).rows() if row.status == DONE}
    found = {key: size for key, size in sizes.items() if size is not None}
    return Estimate(
        photos=len(found),
        bytes=sum(found.values()),
        missing=len(sizes) - len(found),
        done=0 if batch.force else len(done & found.keys()),
    )


def start_backfill(site: Site, batch: Batch) -> str:
    """The ARN of the execution that works through the batch."""
    started = site.client("stepfunctions").start_execution(
        stateMachineArn=site.names.machine_arn("backfill"),
        input=json.dumps(batch.execution_input()),
    )
    return str(started["executionArn"])


def keys_listed(content: bytes, name: str) -> list[str]:
    """The keys a list names: CSV with a column `key`, else JSON with a field `key` on each line."""
    read: Callable[[str], list[str]] = _csv_keys if name.endswith(".csv") else _json_keys
    try:
        return read(content.decode("utf-8-sig"))
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidOptions(f"{name}: not every row or line has a `key` ({error})") from error


def _csv_keys(text: str) -> list[str]:
    return [row["key"] for row in csv.DictReader(io.StringIO(text))]


def _json_keys(text: str) -> list[str]:
    return [str(json.loads(line)["key"]) for line in text.splitlines() if line.strip()]


def _sizes(site: Site, batch: Batch) -> Iterator[tuple[str, int | None]]:
    """Every photo's key and size; None for one that is listed and not there."""
    if batch.listed is None:
        return _below(site, batch.prefix)
    bucket, s3 = site.names.bucket("ingest"), site.client("s3")
    content = s3.get_object(Bucket=bucket, Key=batch.listed)["Body"].read()
    return _looked_up(site, keys_listed(content, batch.listed))


def _below(site: Site, prefix: str) -> Iterator[tuple[str, int | None]]:
    pages = (
        site.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=site.names.bucket("ingest"), Prefix=prefix)
    )
    for page in pages:
        for stored in page.get("Contents", []):
            if not stored["Key"].endswith("/"):
                yield stored["Key"], stored["Size"]


def _looked_up(site: Site, keys: list[str]) -> Iterator[tuple[str, int | None]]:
    s3, bucket = site.client("s3"), site.names.bucket("ingest")

    def size(key: str) -> int | None:
        try:
            length: int = s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
        except s3.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise
        return length

    with ThreadPoolExecutor(_LOOKUPS) as threads:
        yield from zip(keys, threads.map(size, keys), strict=True)
