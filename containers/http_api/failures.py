"""Why a job failed, as its owner is told: by a name from a closed list, without internals."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from containers.http_api.problems import summary_of, type_of
from pipeline.errors import NamedError, PipelineError, leaves
from pipeline.outcomes import Failure, ResultDeleted, ResultGone, public_error


class BatchFailure(NamedError):
    """A failure of a whole batch, as the API tells it."""


class BatchFailed(BatchFailure):
    """The batch failed, and its request is not known to be at fault."""

    hint = "Start the batch again: what is done is skipped. If it fails again, report its id."


class BatchStopped(BatchFailure):
    """The batch was stopped. The jobs that it waited for were stopped, too; ended ones stay."""

    hint = "Start the batch again: what is done is skipped."


class BatchTimedOut(BatchFailure):
    """The batch took longer than a week."""

    hint = "Start smaller batches: what is done is skipped."


class ObjectsNotListed(BatchFailure):
    """The objects could not be listed, and nothing was started."""

    hint = "Start the batch again; if it fails again, report its id."


class ResultsNotWritten(BatchFailure):
    """The objects were processed, but the report of them could not be written."""

    hint = "`GET /jobs` lists the jobs of the objects."


class TooManyFailed(BatchFailure):
    """More objects failed than the operator who started the batch tolerates."""

    hint = "Correct the cause that most failures have, and start again: what is done is skipped."


class ActionFailed(NamedError):
    """The action of a collection failed, and its request is not known to be at fault."""

    hint = "Start the action again; if it fails again, give its id to an operator."


class JobError(BaseModel):
    """Why a job has no result, or a batch or an action failed.

    `type` is the address of the error's description.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    type: str
    message: str
    hint: str


def describe_failure(failure: Failure, docs: str) -> JobError:
    """Return the failure with its own words if it is one of ours, else with those of its kind.

    `docs` is the address of the folder of documents.
    """
    kind, message, hint = public_error(*failure)
    return _error(kind, docs, message=message or summary_of(kind), hint=hint)


def describe_batch_failure(name: str, docs: str) -> JobError:
    """Return why a batch failed: `name` is its execution's error, or its status without one."""
    kinds = leaves(BatchFailure) | {"ABORTED": BatchStopped, "TIMED_OUT": BatchTimedOut}
    return _own(kinds.get(name, BatchFailed), docs)


def describe_action_failure(failure: Failure, docs: str) -> JobError:
    """Return why an action failed: in its own words if it is one of ours, else as ActionFailed."""
    kind = leaves(PipelineError).get(failure.name)
    if kind is None:
        return _own(ActionFailed, docs)
    return _error(
        kind, docs, message=failure.message or summary_of(kind), hint=failure.hint or kind.hint
    )


def describe_gone(docs: str) -> JobError:
    return _own(ResultGone, docs)


def describe_deleted(docs: str) -> JobError:
    return _own(ResultDeleted, docs)


def public_name(name: str) -> str:
    """Return the name by which `describe_failure` tells an error."""
    return public_error(name).kind.__name__


def _own(kind: type[NamedError], docs: str) -> JobError:
    return _error(kind, docs, message=summary_of(kind), hint=kind.hint)


def _error(kind: type[NamedError], docs: str, **words: Any) -> JobError:  # noqa: ANN401
    return JobError(name=kind.__name__, type=type_of(kind, docs), **words)
