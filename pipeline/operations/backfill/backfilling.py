"""Process objects that are already in the ingest bucket: list, count and start a backfill."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple

from pipeline.aws.s3_archives import archive_of, is_archived
from pipeline.contracts.contract import read_product_contract
from pipeline.declared.products import Product
from pipeline.errors import InvalidOptions
from pipeline.operations.backfill.lists import put_list, route
from pipeline.operations.jobs_table import DONE, JobsTable
from pipeline.operations.site import Site

_LOOKUPS: Final = 16
_KEYS_AHEAD: Final = 1_000  # that wait to be looked up: a list may have a million


@dataclass(frozen=True)
class Batch:
    """Objects of the ingest bucket, with options and limits.

    They are those in `keys`, each once, or, if it is None, all below `prefix`. `product` processes
    them all; if it is None, each one's own does: the one that its name starts when it is uploaded.
    At most `max_concurrency` run at a time; None is the machine's own default.
    """

    product: Product | None
    prefix: str = ""
    keys: tuple[str, ...] | None = None
    options: dict[str, Any] | None = None
    force: bool = False
    max_concurrency: int | None = None
    tolerated_failure_percentage: float = 5.0

    def execution_input(self, source: Mapping[str, str]) -> dict[str, Any]:
        """Return the input of the backfill machine; `source` names a list, or a prefix."""
        most = {} if self.max_concurrency is None else {"max_concurrency": self.max_concurrency}
        return {
            **source,
            "force": self.force,
            "options": self.options or {},
            "tolerated_failure_percentage": self.tolerated_failure_percentage,
            **most,
        }


class Size(NamedTuple):
    """The objects of a batch that one product processes, and those of them that are done."""

    objects: int
    done: int

    @property
    def left(self) -> int:
        return self.objects - self.done


@dataclass(frozen=True)
class Estimate:
    """The size of a batch, by the name of the product that processes the objects.

    Objects with a finished job are inspected and skipped. `archived` objects are counted among the
    others, and are quarantined unless they are restored. `missing` keys have no object.
    """

    products: Mapping[str, Size]
    bytes: int
    missing: int = 0
    archived: int = 0

    @property
    def objects(self) -> int:
        return sum(size.objects for size in self.products.values())

    @property
    def done(self) -> int:
        return sum(size.done for size in self.products.values())


def estimate(site: Site, batch: Batch) -> Estimate:
    """Look up every object of a batch and start nothing."""
    finished = {(row.product, row.key) for row in JobsTable(site).rows() if row.status == DONE}
    objects, done = Counter[str](), Counter[str]()
    size = missing = archived = 0
    for key, stored in _looked_up(site, batch):
        product = route(key, batch.product, site.products)
        if stored is None:
            missing += 1
        elif product is not None:
            objects[product.name] += 1
            done[product.name] += not batch.force and (product.name, key) in finished
            size += stored.bytes
            archived += stored.archived
    products = {name: Size(count, done[name]) for name, count in objects.items()}
    return Estimate(products, size, missing, archived)


def require_options(batch: Batch, products: tuple[Product, ...]) -> None:
    """Raise InvalidOptions if a product that may process objects has no option of a given name."""
    takers = (
        [batch.product] if batch.product else [each for each in products if not each.on_request]
    )
    for product in takers:
        known = read_product_contract(product.contracts).options.model_fields
        if unknown := sorted((batch.options or {}).keys() - known.keys()):
            raise InvalidOptions(
                f"the product {product.name} has no option {', '.join(unknown)}; "
                "choose the product with --product"
            )


def count_jobs(site: Site, batch: Batch, *, most: int) -> int:
    """Return how many jobs a batch may start, at most `most`: one for each key, at least one."""
    if batch.keys is not None:
        return min(len({*batch.keys}), most)
    return max(1, sum(1 for _ in islice(_below(site, batch.prefix), most)))


def start_backfill(site: Site, batch: Batch, *, name: str | None = None) -> str:
    """Start the backfill and return its execution's ARN.

    All objects below a prefix, for one product, are listed by the backfill machine. Others are
    listed now, in the work bucket. Raises InvalidOptions if there are none.
    """
    if batch.product and batch.keys is None:
        source = {"prefix": batch.prefix, "machine": batch.product.machine}
    else:
        below = (key for key, _ in _below(site, batch.prefix))
        keys = below if batch.keys is None else dict.fromkeys(batch.keys)
        source = {"list": put_list(site, keys, batch.product)}
        if batch.product:
            source["machine"] = batch.product.machine
    named = {"name": name} if name else {}
    started = site.client("stepfunctions").start_execution(
        **named,
        stateMachineArn=site.names.machine_arn("backfill"),
        input=json.dumps(batch.execution_input(source)),
    )
    return str(started["executionArn"])


class _Stored(NamedTuple):
    """What a listing or a HEAD says of an object."""

    bytes: int
    archived: bool


def _looked_up(site: Site, batch: Batch) -> Iterator[tuple[str, _Stored | None]]:
    """Yield every object's key and what is known of it; None for a listed key without an object."""
    if batch.keys is None:
        return _below(site, batch.prefix)
    return _each_of(site, dict.fromkeys(batch.keys))


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


def _each_of(site: Site, keys: Mapping[str, None]) -> Iterator[tuple[str, _Stored | None]]:
    s3, bucket = site.client("s3"), site.names.bucket("ingest")

    def look_up(key: str) -> _Stored | None:
        try:
            head = s3.head_object(Bucket=bucket, Key=key)
        except s3.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise
        return _Stored(head["ContentLength"], archive_of(head) is not None)

    waiting = iter(keys)
    with ThreadPoolExecutor(_LOOKUPS) as threads:
        while ahead := tuple(islice(waiting, _KEYS_AHEAD)):
            yield from zip(ahead, threads.map(look_up, ahead), strict=True)
