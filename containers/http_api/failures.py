"""Why a job failed, as its owner is told: by a name from a closed list, without internals."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from containers.http_api.problems import summary_of, type_of
from pipeline.errors import NamedError, PipelineError
from pipeline.operations.following import Failure


class JobFailure(NamedError):
    """A failure of a job that is no error of its input, as the API tells it."""


class JobFailed(JobFailure):
    """The job failed, and its input is not known to be at fault."""

    hint = "Replay the job; if it fails again, give its id to an operator."


class JobStopped(JobFailure):
    """The job was cancelled, or an operator stopped it."""

    hint = "Replay the job if you want its result."


class JobTimedOut(JobFailure):
    """The job took too long."""

    hint = "Replay the job, with a smaller file or another model if it takes too long again."


class ResultGone(JobFailure):
    """The job is done, but its result was deleted, or another job's result replaced it."""

    hint = "Replay the job with `force`, or upload the file again."


class ResultDeleted(JobFailure):
    """The job was done, and its results were deleted on request."""

    hint = "Replay the job, or upload the file again, to make them again."


_OTHERS: Final[dict[str, type[JobFailure]]] = {
    "ABORTED": JobStopped,
    JobStopped.__name__: JobStopped,
    "TIMED_OUT": JobTimedOut,
    "States.Timeout": JobTimedOut,
}


class JobError(BaseModel):
    """Why a job has no result. `type` is the address of the error's description."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: str
    message: str
    hint: str


def describe_failure(failure: Failure, docs: str) -> JobError:
    """Return the failure with its own words if it is one of ours, else with those of its kind.

    `docs` is the address of the folder of documents.
    """
    if error := _leaves(PipelineError).get(failure.name):
        message = failure.message or summary_of(error)
        return _error(error, docs, message=message, hint=failure.hint or error.hint)
    return _own(_OTHERS.get(failure.name, JobFailed), docs)


def describe_gone(docs: str) -> JobError:
    return _own(ResultGone, docs)


def describe_deleted(docs: str) -> JobError:
    return _own(ResultDeleted, docs)


def public_name(name: str) -> str:
    """Return the name by which `describe_failure` tells an error."""
    return name if name in _leaves(PipelineError) else _OTHERS.get(name, JobFailed).__name__


def _own(kind: type[JobFailure], docs: str) -> JobError:
    return _error(kind, docs, message=summary_of(kind), hint=kind.hint)


def _error(kind: type[NamedError], docs: str, **words: Any) -> JobError:  # noqa: ANN401
    return JobError(name=kind.__name__, type=type_of(kind, docs), **words)


def _leaves(base: type[NamedError]) -> dict[str, type[NamedError]]:
    below = base.__subclasses__()
    if not below:
        return {base.__name__: base}
    return {name: kind for each in below for name, kind in _leaves(each).items()}
