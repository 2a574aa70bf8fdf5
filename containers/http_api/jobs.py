"""Jobs: follow one, list those of the caller, start, replay and cancel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final, cast

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
)

from containers.http_api.current import Current
from containers.http_api.cursors import Limit, read_cursor, write_cursor
from containers.http_api.errors import NotDeletable, NotReplayable, NotRunning
from containers.http_api.options import check_options, find_product
from containers.http_api.repeats import IdempotencyKey, Marked, answer_once
from containers.http_api.times import Since
from containers.http_api.views import STATES, Job, Jobs, Listed, View, summarise
from containers.http_api.waiting import Prefer, await_end, preferred_wait
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.products import Product, taker
from pipeline.operations.executions import (
    find_execution,
    find_started,
    new_name,
    start_new,
    stop,
)
from pipeline.operations.jobs_table import DONE, RUNNING, JobsTable
from pipeline.operations.lookup import Job as RecordedJob
from pipeline.operations.site import Site
from pipeline.operations.verdicts import DUPLICATE
from pipeline.outcomes import JobStopped

_WHY: Final = "api"  # what the names of executions begin with that a request started


class NewJob(BaseModel):
    """A job for an object that is in the ingest bucket already.

    `product` is the one that the end of the key starts, unless another one is named. `force` does
    again what was done before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    product: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    force: bool = False


class NewReplay(BaseModel):
    """How to replay a job. `force` does again what is done."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    force: bool = False


def add_jobs(
    api: APIGatewayHttpResolver, current: Current, catalogue: Catalogue, *, docs: str
) -> None:
    desk = _Desk(current, catalogue, docs)

    @api.get(
        "/jobs/<name>",
        operation_id="getJob",
        summary="Say how far an upload or a job is, and give its results.",
        tags=["Jobs"],
        response_description="The upload or job",
    )
    def get_job(name: str, prefer: Prefer = None) -> Job:
        return desk.describe(name, wait_s=preferred_wait(prefer))

    @api.get(
        "/jobs",
        operation_id="listJobs",
        summary="List the caller's jobs.",
        tags=["Jobs"],
        response_description="Some of the jobs",
    )
    def list_jobs(
        status: Annotated[Listed | None, Query()] = None,
        since: Annotated[Since | None, Query()] = None,
        cursor: Annotated[str | None, Query(max_length=3000)] = None,
        limit: Limit = 50,
    ) -> Jobs:
        return desk.listed(status, since, cursor, limit)

    @api.post(
        "/jobs",
        operation_id="createJob",
        summary="Start a job for an object that was uploaded before.",
        tags=["Jobs"],
        status_code=HTTPStatus.ACCEPTED,
        response_description="The job, which runs",
    )
    def create_job(job: NewJob, idempotency_key: IdempotencyKey = None) -> Job:
        asked = ["createJob", job.model_dump(mode="json")]
        return answer_once(
            current, idempotency_key, asked, lambda marked: desk.start(job, marked), Job
        )

    @api.post(
        "/jobs/<name>/replay",
        operation_id="replayJob",
        summary="Run a job again with its recorded input.",
        tags=["Jobs"],
        status_code=HTTPStatus.ACCEPTED,
        response_description="The job, which runs again",
    )
    def replay_job(name: str, replay: NewReplay, idempotency_key: IdempotencyKey = None) -> Job:
        asked = ["replayJob", name, replay.model_dump(mode="json")]
        return answer_once(
            current, idempotency_key, asked, lambda _: desk.replay(name, force=replay.force), Job
        )

    @api.delete(
        "/jobs/<name>",
        operation_id="cancelJob",
        summary="Cancel a running job; with `results=true`, delete the results of a finished one.",
        tags=["Jobs"],
        response_description="The job, which ends or has no results any more",
    )
    def cancel_job(name: str, results: Annotated[bool, Query()] = False) -> Job:  # noqa: FBT002
        return desk.delete(name) if results else desk.cancel(name)


@dataclass(frozen=True)
class _Desk:
    """What the routes do, for the caller of the current request."""

    current: Current
    catalogue: Catalogue
    docs: str

    @property
    def site(self) -> Site:
        return self.current.site

    @property
    def visible(self) -> str:
        """Return what the keys begin with that the caller may see; nothing for an operator."""
        return self.current.principal.visible

    def describe(self, name: str, *, wait_s: int = 0) -> Job:
        found = await_end(lambda: self.current.find_job(name), wait_s)
        return View(self.site, self.visible, self.docs).describe(name, found)

    def listed(
        self, status: str | None, since: datetime | None, cursor: str | None, limit: int
    ) -> Jobs:
        page = JobsTable(self.site).below(
            self.site.names.bucket("ingest"),
            self.visible,
            limit=limit,
            status=status.upper() if status else None,
            since=since,
            after=read_cursor(cursor, self.visible) if cursor else None,
        )
        after = write_cursor(page.after) if page.after else None
        return Jobs(jobs=tuple(map(summarise, page.rows)), cursor=after)

    def start(self, asked: NewJob, marked: Marked | None) -> Job:
        site, place = self.site, self.current.own_object(asked.key)
        starts = cast("Product", taker(asked.key, self.current.products))
        product = find_product(asked.product, self.current.products) if asked.product else starts
        options = check_options(product, self.catalogue, asked.options)
        given: JsonValue = {
            "bucket": place.bucket,
            "key": place.key,
            "force": asked.force,
            "options": options,
        }
        digests = [digest.hex() for _, digest in marked.digests] if marked else []
        names = [new_name(_WHY, digest) for digest in digests]
        if marked and (first := find_started(site, product.machine, names, since=marked.since)):
            return self.describe(first.name)
        self.current.spend(jobs=1)
        digest = digests[0] if digests else None
        return self._started(start_new(site, product.machine, given, why=_WHY, digest=digest))

    def replay(self, name: str, *, force: bool) -> Job:
        from pipeline.operations.replaying import Changes, NotReplayed, start_again

        site, found = self.site, self.current.find_job(name)
        if not found.ended:
            raise NotReplayable(f"it is {STATES[found.state]}")
        if found.state in {DONE, DUPLICATE} and not force:
            raise NotReplayable("it is done")
        row, execution = found.row, found.execution
        if row is None and execution is not None:
            row = JobsTable(site).of_execution(execution.arn)
        if row is None:
            raise NotReplayable("it is not recorded yet; try again in a minute")
        if execution is None or execution.arn != row.execution:
            execution = find_execution(site, row.execution)
        recorded, changes = RecordedJob(row, execution, execution), Changes(force=force)
        try:
            start_again(site, recorded, row, changes, dry_run=True)
            self.current.spend(jobs=1)
            started = start_again(site, recorded, row, changes)
        except NotReplayed as error:
            raise NotReplayable(str(error)) from error
        return self._started(cast("str", started))

    def cancel(self, name: str) -> Job:
        found = self.current.find_job(name)
        if found.state != RUNNING:
            raise NotRunning(f"it is {STATES[found.state]}")
        if found.execution is None:
            raise NotRunning("its job is not recorded yet; try again in a minute")
        arn, error = found.execution.arn, JobStopped.__name__
        stop(self.site, arn, error=error, cause="cancelled with DELETE /jobs")
        return self.describe(name)

    def delete(self, name: str) -> Job:
        from pipeline.operations.deleting import NotDeleted, delete_results

        found = self.current.find_job(name)
        if not found.ended or found.row is None:
            raise NotDeletable(f"it is {STATES[found.state]}")
        try:
            delete_results(self.site, found.row, visible=self.visible)
        except NotDeleted as error:
            raise NotDeletable(str(error)) from error
        return self.describe(name)

    def _started(self, arn: str) -> Job:
        return self.describe(arn.rpartition(":")[2])
