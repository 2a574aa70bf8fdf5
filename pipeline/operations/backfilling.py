"""Photos that were there before anybody dropped them: how many, how dear, and their start."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from pipeline.operations.jobs_table import DONE, JobsTable
from pipeline.operations.key_lists import KeyList, put_list
from pipeline.operations.site import Site

# Standard executions: https://aws.amazon.com/step-functions/pricing, Lambda on x86, first tier.
DOLLARS_PER_TRANSITION: Final = 0.025 / 1_000
DOLLARS_PER_GB_S: Final = 0.0000166667
TRANSITIONS: Final = 18  # of cutout, and of the child that waits for it
_LOOKUPS: Final = 16


@dataclass(frozen=True)
class Batch:
    """Which photos of the ingest bucket, and how: those that are `listed`, else by prefix."""

    prefix: str = ""
    listed: KeyList | None = None
    options: dict[str, Any] | None = None
    force: bool = False
    max_concurrency: int = 20
    tolerated_failure_percentage: float = 5.0

    def execution_input(self) -> dict[str, Any]:
        """What the backfill machine is started with."""
        source = {"list": self.listed.name} if self.listed else {"prefix": self.prefix}
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
    """The ARN of the execution that works through the batch. A list is put in its place first."""
    if batch.listed:
        put_list(site, batch.listed)
    started = site.client("stepfunctions").start_execution(
        stateMachineArn=site.names.machine_arn("backfill"),
        input=json.dumps(batch.execution_input()),
    )
    return str(started["executionArn"])


def _sizes(site: Site, batch: Batch) -> Iterator[tuple[str, int | None]]:
    """Every photo's key and size; None for one that is listed and not there."""
    if batch.listed is None:
        return _below(site, batch.prefix)
    return _looked_up(site, batch.listed.keys)


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
