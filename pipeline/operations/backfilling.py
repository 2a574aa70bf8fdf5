"""Process objects that are already in the ingest bucket: list, estimate and start a backfill."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from pipeline.aws.s3_archives import archive_of, is_archived
from pipeline.declared.costs import DOLLARS_PER_GB_S
from pipeline.declared.products import Product
from pipeline.errors import InvalidOptions
from pipeline.operations.jobs_table import DONE, JobsTable
from pipeline.operations.site import Site

LISTS: Final = "backfill/lists/"  # of the work bucket: in the ingest bucket it would be processed
# Standard executions: https://aws.amazon.com/step-functions/pricing.
DOLLARS_PER_TRANSITION: Final = 0.025 / 1_000
_LOOKUPS: Final = 16


@dataclass(frozen=True)
class KeyList:
    """CSV with a column `key` if `file` ends in .csv, else JSON with a field `key` on each line."""

    file: str
    content: bytes

    @classmethod
    def read(cls, path: Path) -> KeyList:
        """Read a file of this machine, without a byte order mark."""
        return cls(path.name, path.read_bytes().removeprefix(codecs.BOM_UTF8))

    @property
    def name(self) -> str:
        """Return its name in the work bucket; with its digest, no other list replaces it."""
        return f"{hashlib.sha256(self.content).hexdigest()[:12]}/{self.file}"

    @property
    def keys(self) -> list[str]:
        """Return its keys. Raises InvalidOptions if a row or line has none."""
        read = _csv_rows if self.file.endswith(".csv") else _json_rows
        try:
            return [_key(row) for row in read(self.content.decode())]
        except (KeyError, TypeError, ValueError) as error:
            message = f"{self.file}: not every row or line has a `key` ({error})"
            raise InvalidOptions(message) from error


def require_keys(listed: KeyList) -> None:
    """Raise InvalidOptions if the list names no key, or a row or line of it has none."""
    if not listed.keys:
        raise InvalidOptions(f"{listed.file}: there is no `key` in the file")


@dataclass(frozen=True)
class Batch:
    """Objects of the ingest bucket for one product, with options and limits.

    The keys are those in `listed`, or, if it is None, all below `prefix`.
    """

    product: Product
    prefix: str = ""
    listed: KeyList | None = None
    options: dict[str, Any] | None = None
    force: bool = False
    max_concurrency: int = 20
    tolerated_failure_percentage: float = 5.0

    def execution_input(self) -> dict[str, Any]:
        """Return the input of the backfill machine."""
        source = {"list": self.listed.name} if self.listed else {"prefix": self.prefix}
        return source | {
            "machine": self.product.machine,
            "force": self.force,
            "options": self.options or {},
            "max_concurrency": self.max_concurrency,
            "tolerated_failure_percentage": self.tolerated_failure_percentage,
        }


@dataclass(frozen=True)
class Estimate:
    """The size of a batch. Objects with a finished job are inspected and skipped.

    `archived` objects are counted among the others, and are quarantined unless they are restored.
    """

    objects: int
    bytes: int
    missing: int
    done: int
    archived: int = 0

    def dollars(self, *, transitions: int, memory_mb: int, seconds: float) -> float:
        """Return the cost in US dollars of the unfinished objects; arguments are for one object."""
        lambda_time = memory_mb / 1024 * seconds * DOLLARS_PER_GB_S
        return (self.objects - self.done) * (transitions * DOLLARS_PER_TRANSITION + lambda_time)


def estimate(site: Site, batch: Batch) -> Estimate:
    """Look up every object of a batch and start nothing.

    Raises InvalidOptions for a list without keys.
    """
    looked_up = dict(_looked_up(site, batch))
    rows = JobsTable(site).rows()
    done = {row.key for row in rows if row.status == DONE and row.product == batch.product.name}
    found = {key: stored for key, stored in looked_up.items() if stored is not None}
    return Estimate(
        objects=len(found),
        bytes=sum(stored.bytes for stored in found.values()),
        missing=len(looked_up) - len(found),
        done=0 if batch.force else len(done & found.keys()),
        archived=sum(stored.archived for stored in found.values()),
    )


def count_jobs(site: Site, batch: Batch, *, most: int) -> int:
    """Return how many jobs a batch may start, at most `most`: one for each key, at least one."""
    if batch.listed is not None:
        return min(len(batch.listed.keys), most)
    return max(1, sum(1 for _ in islice(_below(site, batch.prefix), most)))


def most_transitions(definition: Mapping[str, Any]) -> int:
    """Return the number of states on the longest error-free path through a state machine.

    `definition` is a whole machine, or the ItemProcessor of a Map. A Map counts one item, a
    Parallel all its branches. AWS bills an execution for these states and one more, its start.
    """
    states: Mapping[str, Any] = definition["States"]

    def longest_from(name: str, passed: frozenset[str]) -> int:
        state, passed = states[name], passed | {name}
        inner = [state.get("ItemProcessor"), *state.get("Branches", ())]
        rules = [state, *state.get("Choices", ())]
        ahead = {rule[link] for rule in rules for link in ("Next", "Default") if link in rule}
        rest = (longest_from(each, passed) for each in ahead - passed)
        return 1 + sum(most_transitions(each) for each in inner if each) + max(rest, default=0)

    return longest_from(definition["StartAt"], frozenset())


def start_backfill(site: Site, batch: Batch, *, name: str | None = None) -> str:
    """Put the list in the work bucket, start the backfill and return its execution's ARN."""
    if batch.listed:
        put_list(site, batch.listed)
    named = {"name": name} if name else {}
    started = site.client("stepfunctions").start_execution(
        **named,
        stateMachineArn=site.names.machine_arn("backfill"),
        input=json.dumps(batch.execution_input()),
    )
    return str(started["executionArn"])


def put_list(site: Site, listed: KeyList) -> None:
    """Write a list where the backfill machine reads it."""
    site.client("s3").put_object(
        Bucket=site.names.bucket("work"), Key=f"{LISTS}{listed.name}", Body=listed.content
    )


class _Stored(NamedTuple):
    """What a listing or a HEAD says of an object."""

    bytes: int
    archived: bool


def _looked_up(site: Site, batch: Batch) -> Iterator[tuple[str, _Stored | None]]:
    """Yield every object's key and what is known of it; None for a listed key without an object."""
    if batch.listed is None:
        return _below(site, batch.prefix)
    return _each_of(site, batch.listed.keys)


def _below(site: Site, prefix: str) -> Iterator[tuple[str, _Stored | None]]:
    pages = (
        site.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(
            Bucket=site.names.bucket("ingest"),
            Prefix=prefix,
            OptionalObjectAttributes=["RestoreStatus"],
        )
    )
    for page in pages:
        for stored in page.get("Contents", []):
            if not stored["Key"].endswith("/"):
                yield stored["Key"], _Stored(stored["Size"], is_archived(stored))


def _each_of(site: Site, keys: list[str]) -> Iterator[tuple[str, _Stored | None]]:
    s3, bucket = site.client("s3"), site.names.bucket("ingest")

    def look_up(key: str) -> _Stored | None:
        try:
            head = s3.head_object(Bucket=bucket, Key=key)
        except s3.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise
        return _Stored(head["ContentLength"], archive_of(head) is not None)

    with ThreadPoolExecutor(_LOOKUPS) as threads:
        yield from zip(keys, threads.map(look_up, keys), strict=True)


def _csv_rows(text: str) -> Iterable[Mapping[str, object]]:
    return csv.DictReader(io.StringIO(text))


def _json_rows(text: str) -> Iterable[Mapping[str, object]]:
    return (json.loads(line) for line in text.splitlines() if line.strip())


def _key(row: Mapping[str, object]) -> str:
    key = row["key"]
    if not isinstance(key, str) or not key:
        raise ValueError(f"{key!r} is no key")
    return key
