"""Say how a job ended, in the words of the HTTP API and of webhooks.

Imports only the standard library and named errors: zipped functions use it too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from pipeline.errors import NamedError, PermanentError, PipelineError, leaf_names, leaves

HANDED_OVER: Final = "HANDED_OVER"  # another execution, of another product, has the job
Ended = Literal["done", "duplicate", "quarantined", "failed"]
ENDS: Final[Mapping[str, Ended]] = {
    "DONE": "done",
    "DUPLICATE": "duplicate",
    "QUARANTINED": "quarantined",
    "FAILED": "failed",
}


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
    """The job was done, and its results were deleted, on request or with its photo."""

    hint = "Replay the job, or upload the file again, to make them again."


_OTHERS: Final[dict[str, type[JobFailure]]] = {
    "ABORTED": JobStopped,
    JobStopped.__name__: JobStopped,
    "TIMED_OUT": JobTimedOut,
    "States.Timeout": JobTimedOut,
}


class Failure(NamedTuple):
    """Why a job ended without a result. Message and hint are empty if nothing is known."""

    name: str
    message: str = ""
    hint: str = ""


class PublicError(NamedTuple):
    """An error as a job's owner may see it: of a closed list. Texts are empty if unknown."""

    kind: type[NamedError]
    message: str
    hint: str


def verdict_of(status: str, error: str | None, output: Mapping[str, Any]) -> str:
    """Return DONE, DUPLICATE, QUARANTINED, HANDED_OVER, or the status of another end."""
    if status == "SUCCEEDED":
        return str(output["status"])
    return "QUARANTINED" if error in leaf_names(PermanentError) else status


def public_error(name: str, message: str = "", hint: str = "") -> PublicError:
    """Return an error with its own words if it is one of ours, else with those of its kind."""
    if error := leaves(PipelineError).get(name):
        return PublicError(error, message, hint or error.hint)
    kind = _OTHERS.get(name, JobFailed)
    return PublicError(kind, "", kind.hint)


def failure_in(error: str, cause: str) -> Failure:
    """Return the failure that a cause ends with: a cause may contain another error and its cause.

    The text of a named error is its message, and its hint on the next line.
    """
    while inner := read_cause(cause):
        error = inner.get("errorType") or inner.get("Error") or error
        cause = inner.get("errorMessage") or inner.get("Cause") or ""
    message, _, hint = cause.partition("\n")
    return Failure(error, message, hint)


def read_cause(text: str) -> dict[str, Any]:
    """Parse a cause; empty if it is no JSON object: executions can be stopped with any text."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
