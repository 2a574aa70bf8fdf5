"""Batches: start one for a list or a prefix, follow it, read what failed, and stop it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from containers.http_api.batch_views import Batch, FailedJobs, describe_batch, describe_failed
from containers.http_api.current import Current
from containers.http_api.cursors import MOST_LISTED, Limit, read_numbers, write_cursor, wrong_cursor
from containers.http_api.errors import (
    InvalidRequest,
    NoReport,
    NoSuchBatch,
    NotRunning,
    WrongField,
    WrongFields,
)
from containers.http_api.failures import BatchStopped
from containers.http_api.options import check_options, find_product
from containers.http_api.repeats import IdempotencyKey, Marked, answer_once
from containers.http_api.waiting import Prefer, await_end, preferred_wait
from pipeline.contracts.output_keys import S3_KEY_LIMIT_BYTES
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.products import Product, taker
from pipeline.operations.batches import (
    MACHINE,
    FailedPlace,
    FollowedBatch,
    NoPlace,
    follow_batch,
    new_batch_id,
    read_failures,
)
from pipeline.operations.executions import find_started, stop

MOST_KEYS: Final = 10_000
_MOST_COUNTED: Final = 50_000  # objects below a prefix: S3 lists that many in some seconds
_ALL: Final = 100.0  # percent: each object has an outcome of its own, and stops no other
_Key = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


def _is_too_long(key: str) -> bool:
    """Return True if no key in S3 is as long: S3 counts bytes, and refuses to look for it."""
    return len(key.encode()) > S3_KEY_LIMIT_BYTES


class NewBatch(BaseModel):
    """A job for each object of a list, or for each one below a prefix.

    Give `keys` or `prefix`. `product` may be left out for keys whose ends start the same one.
    `force` does again what was done before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: Annotated[tuple[_Key, ...], Field(min_length=1, max_length=MOST_KEYS)] | None = None
    prefix: Annotated[str, StringConstraints(max_length=1024)] | None = None
    product: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    force: bool = False


def add_batches(
    api: APIGatewayHttpResolver, current: Current, catalogue: Catalogue, *, docs: str
) -> None:
    desk = _Desk(current, catalogue, docs)

    @api.post(
        "/batches",
        operation_id="createBatch",
        summary="Start a job for each object of a list or below a prefix.",
        tags=["Batches"],
        status_code=HTTPStatus.ACCEPTED,
        response_description="The batch, which runs",
    )
    def create_batch(batch: NewBatch, idempotency_key: IdempotencyKey = None) -> Batch:
        asked = ["createBatch", batch.model_dump(mode="json")]
        return answer_once(
            current, idempotency_key, asked, lambda marked: desk.start(batch, marked), Batch
        )

    @api.get(
        "/batches/<name>",
        operation_id="getBatch",
        summary="Say how far a batch is.",
        tags=["Batches"],
        response_description="The batch",
    )
    def get_batch(name: str, prefer: Prefer = None) -> Batch:
        found = await_end(lambda: desk.find(name), preferred_wait(prefer))
        return desk.describe(name, found)

    @api.get(
        "/batches/<name>/failures",
        operation_id="listBatchFailures",
        summary="List the objects of a batch that failed, with their errors.",
        tags=["Batches"],
        response_description="Some of the failures",
    )
    def list_batch_failures(
        name: str,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
        limit: Limit = 50,
    ) -> FailedJobs:
        return desk.failures(name, cursor, limit)

    @api.delete(
        "/batches/<name>",
        operation_id="stopBatch",
        summary="Stop a running batch, and the jobs that it waits for.",
        tags=["Batches"],
        response_description="The batch, which ends",
    )
    def stop_batch(name: str) -> Batch:
        return desk.stop(name)


@dataclass(frozen=True)
class _Desk:
    """What the routes do, for the caller of the current request."""

    current: Current
    catalogue: Catalogue
    docs: str

    def start(self, asked: NewBatch, marked: Marked | None) -> Batch:
        from pipeline.operations.backfill import backfilling

        principal = self.current.principal
        self._require_own(asked)
        product = self._product(asked)
        options = check_options(product, self.catalogue, asked.options)
        batch = backfilling.Batch(
            product,
            prefix=asked.prefix or "",
            keys=asked.keys,
            options=options,
            force=asked.force,
            tolerated_failure_percentage=_ALL,
        )
        site = self.current.site
        names = [new_batch_id(principal.prefix, *each) for each in marked.digests] if marked else []
        if marked and (first := find_started(site, MACHINE, names, since=marked.since)):
            return self.describe(first.name, self.find(first.name))
        self.current.spend(jobs=backfilling.count_jobs(site, batch, most=_MOST_COUNTED))
        name = names[0] if names else new_batch_id(principal.prefix, datetime.now(UTC))
        backfilling.start_backfill(site, batch, name=name)
        return self.describe(name, self.find(name))

    def find(self, name: str) -> FollowedBatch:
        principal = self.current.principal
        found = follow_batch(
            self.current.site, name, owner=principal.prefix, visible=principal.visible
        )
        if found is None:
            raise NoSuchBatch(f"there is no batch {name!r:.100}")
        return found

    def describe(self, name: str, found: FollowedBatch) -> Batch:
        return describe_batch(name, found, self.current.products, self.docs)

    def failures(self, name: str, cursor: str | None, limit: int) -> FailedJobs:
        if not self.find(name).ended:
            raise NoReport("the batch runs")
        after = FailedPlace(*read_numbers(cursor)) if cursor else None
        try:
            page = read_failures(self.current.site, name, after=after, limit=limit)
        except NoPlace as error:
            raise wrong_cursor() from error
        if page is None:
            raise NoReport("the batch has no report")
        failures = tuple(describe_failed(each, self.docs) for each in page.failed)
        rest = write_cursor(page.after) if page.after else None
        return FailedJobs(failures=failures, cursor=rest)

    def stop(self, name: str) -> Batch:
        found = self.find(name)
        if found.ended:
            raise NotRunning("the batch has ended")
        error = BatchStopped.__name__
        stop(self.current.site, found.execution.arn, error=error, cause="stopped with DELETE")
        return self.describe(name, self.find(name))

    def _require_own(self, asked: NewBatch) -> None:
        """Raise WrongFields unless it names only what the caller may see. Nothing is looked up."""
        if (asked.keys is None) == (asked.prefix is None):
            raise WrongFields.one(InvalidRequest("give either keys or a prefix"), "body")
        visible = self.current.principal.visible
        if asked.prefix is not None and not asked.prefix.startswith(visible):
            says = f"the prefix does not begin with that of your keys, {visible}"
            raise WrongFields.one(InvalidRequest(says), "body.prefix")
        if asked.prefix is not None and _is_too_long(asked.prefix):
            says = f"the prefix has more than {S3_KEY_LIMIT_BYTES:,} bytes"
            raise WrongFields.one(InvalidRequest(says), "body.prefix")
        wrong = [
            WrongField(field=f"body.keys.{number}", detail=f"{key!r:.200} is no key of yours")
            for number, key in enumerate(asked.keys or ())
            if not key.startswith(visible) or key.endswith("/") or _is_too_long(key)
        ][:MOST_LISTED]
        if wrong:
            raise WrongFields(InvalidRequest(wrong[0].detail), *wrong)

    def _product(self, asked: NewBatch) -> Product:
        """Return the product that was asked for, or else the one that all keys start."""
        products = self.current.products
        if asked.product is not None:
            return find_product(asked.product, products)
        started = {each.name: each for key in asked.keys or () if (each := taker(key, products))}
        possible = list(started.values()) or products
        if len(possible) == 1:
            return possible[0]
        names = ", ".join(product.name for product in products)
        raise WrongFields.one(InvalidRequest(f"choose a product: {names}"), "body.product")
