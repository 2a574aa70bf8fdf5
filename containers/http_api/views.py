"""Uploads and jobs as their owner sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import not_
from typing import Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field

from containers.http_api.failures import (
    JobError,
    describe_deleted,
    describe_failure,
    describe_gone,
    public_name,
)
from pipeline.artifacts import Location
from pipeline.contracts.sounds import Prediction
from pipeline.operations.following import EXPIRED, Followed, Result, failure_of, result_of
from pipeline.operations.history import Visit, read_history
from pipeline.operations.jobs_table import DELETED, DONE, FAILED, QUARANTINED, RUNNING, JobRow
from pipeline.operations.presigning import presign_get
from pipeline.operations.site import Site
from pipeline.operations.verdicts import DUPLICATE, WAITING
from pipeline.outcomes import ENDS
from pipeline.traces import trace_id

LASTS: Final = timedelta(hours=1)  # of an address of a result, or of its source

_FACES: Final = "faces"

State = Literal[
    "waiting", "expired", "running", "done", "duplicate", "quarantined", "failed", "deleted"
]
Listed = Literal["running", "done", "quarantined", "failed", "deleted"]
STATES: Final[Mapping[str, State]] = {
    WAITING: "waiting",
    EXPIRED: "expired",
    RUNNING: "running",
    **ENDS,
    DELETED: "deleted",
}


def is_none(value: object) -> bool:
    """Return True for a field that an answer leaves out."""
    return value is None


class ResultFile(BaseModel):
    """A file of a result. `url` is its address, which needs no signature until it expires."""

    model_config = ConfigDict(frozen=True)

    name: str
    url: str
    expires_at: datetime
    kind: str | None = Field(default=None, exclude_if=is_none)
    media_type: str | None = Field(default=None, exclude_if=is_none)
    bytes: int | None = Field(default=None, exclude_if=is_none)
    sha256: str | None = Field(default=None, exclude_if=is_none)
    width: int | None = Field(default=None, exclude_if=is_none)
    height: int | None = Field(default=None, exclude_if=is_none)


class TaskProgress(BaseModel):
    """A task that a running job has begun; `ms` is how long it took, if it has ended.

    A task that is done for each of several parts has the sum of their times. One that only counts
    the parts has `parts`, of which `done` are done.
    """

    model_config = ConfigDict(frozen=True)

    task: str
    ms: float | None = Field(default=None, exclude_if=is_none)
    done: int | None = Field(default=None, exclude_if=is_none)
    parts: int | None = Field(default=None, exclude_if=is_none)


class Speaker(BaseModel):
    """A speaker of a transcript, and for how many seconds in all the speaker speaks."""

    model_config = ConfigDict(frozen=True)

    speaker: str
    seconds: float


class Job(BaseModel):
    """An upload or a job.

    `id` is the name that it was asked for with, `job` its own id, once it has one: equal jobs have
    equal ids. `execution` is what ran last for it; `trace_id` finds all that it logged and made. A
    job that is `done` has results and the record of how they were made. One that is `duplicate` has
    those of the first job. One that is `quarantined` will fail again with the same input; one that
    `failed` may not. One that is `deleted` was done, and its results were deleted, on request or
    with its photo. `waiting` and `expired` are uploads whose file never came. `tasks` are those
    that a running job has begun.

    `speakers` are those of a transcript, in order of appearance, and `tags` the sounds that the
    whole recording most probably has, each with its probability: if they were asked for. `faces` is
    how many faces were found in a photo, if they were looked for.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    state: State
    product: str | None = Field(default=None, exclude_if=is_none)
    key: str | None = Field(default=None, exclude_if=is_none)
    job: str | None = Field(default=None, exclude_if=is_none)
    execution: str | None = Field(default=None, exclude_if=is_none)
    trace_id: str | None = Field(default=None, exclude_if=is_none)
    updated_at: datetime | None = Field(default=None, exclude_if=is_none)
    form_expires_at: datetime | None = Field(default=None, exclude_if=is_none)
    error: JobError | None = Field(default=None, exclude_if=is_none)
    results: tuple[ResultFile, ...] = Field(default=(), exclude_if=not_)
    record: ResultFile | None = Field(default=None, exclude_if=is_none)
    speakers: tuple[Speaker, ...] = Field(default=(), exclude_if=not_)
    tags: tuple[Prediction, ...] = Field(default=(), exclude_if=not_)
    faces: int | None = Field(default=None, exclude_if=is_none)
    tasks: tuple[TaskProgress, ...] = Field(default=(), exclude_if=not_)


class JobSummary(BaseModel):
    """A job in a list. `error` is the name of its error."""

    model_config = ConfigDict(frozen=True)

    id: str
    state: Listed
    product: str
    key: str
    updated_at: datetime
    error: str | None = Field(default=None, exclude_if=is_none)


class Jobs(BaseModel):
    """Some jobs, latest upload first. With a `cursor`, there may be more: ask again with it."""

    model_config = ConfigDict(frozen=True)

    jobs: tuple[JobSummary, ...]
    cursor: str | None = Field(default=None, exclude_if=is_none)


@dataclass(frozen=True)
class View:
    """How one caller sees a deployment: objects whose keys begin with `visible`, errors in `docs`.

    `docs` is the address of the folder of documents.
    """

    site: Site
    visible: str
    docs: str

    def describe(self, name: str, found: Followed) -> Job:
        """Return what was found by that name."""
        row, execution = found.row, found.execution
        arn = execution.arn if execution else row.execution if row else ""
        product = self.site.product_of(arn)
        has_job = row is not None and not row.unclaimed
        return Job(
            id=name,
            state=STATES[found.state],
            product=product.name if product else None,
            key=found.source.key if arn else None,
            job=row.job_id if row and has_job else None,
            execution=arn.rpartition(":")[2] or None,
            trace_id=trace_id(arn) or None,
            updated_at=row.updated_at if row else None,
            form_expires_at=found.upload.expires_at if found.upload else None,
            **self._outcome(found),
        )

    def _outcome(self, found: Followed) -> dict[str, Any]:
        """Return the fields that say how a job ended, or which tasks it has begun."""
        site = self.site
        if found.state in {FAILED, QUARANTINED}:
            return {"error": describe_failure(failure_of(site, found), self.docs)}
        if found.state == DELETED:
            return {"error": describe_deleted(self.docs)}
        if found.state == RUNNING and found.execution:
            visits = read_history(site, found.execution.arn)
            return {"tasks": tuple(_progress(visits))}
        if found.state not in {DONE, DUPLICATE}:
            return {}
        result = result_of(site, found)
        if result is None:
            runs_first = found.state == DUPLICATE and found.row and found.row.status == RUNNING
            return {} if runs_first else {"error": describe_gone(self.docs)}
        files = [
            self._file(Location.parse(uri), facts or {}) for uri, facts in result.files.items()
        ]
        media = {"media_type": "application/json"}
        return {
            "results": tuple(files),
            "record": self._file(result.record, media),
            "speakers": speakers_of(result),
            "tags": tuple(map(Prediction.model_validate, result.stated.get("predictions") or ())),
            "faces": _faces_of(result),
        }

    def _file(self, place: Location, facts: Mapping[str, Any]) -> ResultFile:
        """Return a file with an address. Raises ValueError for one that the caller may not see."""
        if not place.key.startswith(self.visible):
            raise ValueError(f"{place.uri} is a result outside of its owner's keys")
        known = ResultFile.model_fields.keys() - {"name", "url", "expires_at"}
        return ResultFile(
            name=place.key.rpartition("/")[2],
            url=presign_get(self.site, place, lasts=LASTS, media_type=facts.get("media_type")),
            expires_at=datetime.now(UTC).replace(microsecond=0) + LASTS,
            **{field: facts[field] for field in known & facts.keys()},
        )


def speakers_of(result: Result) -> tuple[Speaker, ...]:
    """Return the speakers that a record states; none if they were not told apart.

    Step Functions does not keep the order of an object's fields, but the names are in order.
    """
    stated = result.stated.get("speakers") or {}
    return tuple(Speaker(speaker=name, seconds=stated[name]) for name in sorted(stated))


def _faces_of(result: Result) -> int | None:
    """Return how many faces a record states; None if it is of another product."""
    return result.stated["count"] if result.stated.get("product") == _FACES else None


def _progress(visits: Sequence[Visit]) -> Iterator[TaskProgress]:
    """Yield each task, and each Map with its parts, in the order in which they began."""
    stays: dict[str, list[Visit]] = {}
    for visit in visits:
        if visit.kind in {"Task", "Map"}:
            stays.setdefault(visit.state, []).append(visit)
    for state, each in stays.items():
        times = [visit.ms for visit in each if visit.ms is not None]
        last = each[-1]
        yield TaskProgress(
            task=state,
            ms=sum(times) if len(times) == len(each) else None,
            done=None if last.items is None else last.done,
            parts=last.items,
        )


def summarise(row: JobRow) -> JobSummary:
    return JobSummary(
        id=row.job_id,
        state=cast("Listed", STATES[row.status]),
        product=row.product,
        key=row.key,
        updated_at=row.updated_at,
        error=public_name(row.error) if row.error else None,
    )
