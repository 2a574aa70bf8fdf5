"""Batches and their failures as their owner sees them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from containers.http_api.failures import JobError, describe_batch_failure, describe_failure
from containers.http_api.views import is_none
from pipeline.declared.products import Product
from pipeline.operations.batches import Counts, FailedObject, FollowedBatch


class BatchCounts(BaseModel):
    """The objects of a batch, by what became of them.

    `total` grows while they are listed. Those that `succeeded` are done or duplicates. Those that
    were `aborted` ran when the batch was stopped.
    """

    model_config = ConfigDict(frozen=True)

    total: int
    pending: int
    running: int
    succeeded: int
    failed: int
    aborted: int

    @classmethod
    def of(cls, counts: Counts) -> BatchCounts:
        return cls.model_validate(vars(counts))


class Batch(BaseModel):
    """A batch. One that is `done` has processed all its objects, some of which may have failed.

    One that `failed` could not process all, or was stopped: `error` says why and what to do.
    `counts` are missing until its objects are listed.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    state: Literal["running", "done", "failed"]
    product: str | None = Field(default=None, exclude_if=is_none)
    prefix: str | None = Field(default=None, exclude_if=is_none)
    counts: BatchCounts | None = Field(default=None, exclude_if=is_none)
    error: JobError | None = Field(default=None, exclude_if=is_none)
    started_at: datetime | None = Field(default=None, exclude_if=is_none)
    ended_at: datetime | None = Field(default=None, exclude_if=is_none)


class FailedJob(BaseModel):
    """An object of a batch that failed. `job` is an id of its job, if it has one."""

    model_config = ConfigDict(frozen=True)

    key: str
    job: str | None = Field(default=None, exclude_if=is_none)
    error: JobError


class FailedJobs(BaseModel):
    """Some failures of a batch. With a `cursor`, there are more: ask again with it."""

    model_config = ConfigDict(frozen=True)

    failures: tuple[FailedJob, ...]
    cursor: str | None = Field(default=None, exclude_if=is_none)


def describe_batch(
    name: str, found: FollowedBatch, products: Sequence[Product], docs: str
) -> Batch:
    """Return what was found by that name. `docs` is the address of the folder of documents."""
    execution = found.execution
    given = execution.input if isinstance(execution.input, dict) else {}
    machine = given.get("machine")
    product = next((each for each in products if each.machine == machine), None)
    done = execution.status == "SUCCEEDED"
    error = None
    if found.ended and not done:
        error = describe_batch_failure(execution.error or execution.status, docs)
    return Batch(
        id=name,
        state="done" if done else "failed" if found.ended else "running",
        product=product.name if product else None,
        prefix=given.get("prefix"),
        counts=BatchCounts.of(found.counts) if found.counts else None,
        error=error,
        started_at=execution.started,
        ended_at=execution.ended,
    )


def describe_failed(failed: FailedObject, docs: str) -> FailedJob:
    return FailedJob(
        key=failed.key,
        job=failed.execution or None,
        error=describe_failure(failed.failure, docs),
    )
