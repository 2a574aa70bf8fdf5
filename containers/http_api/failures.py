"""Why a job failed, as its owner is told: by a name from a closed list, without internals."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from containers.http_api.problems import summary_of, type_of
from pipeline.errors import NamedError
from pipeline.operations.following import Failure
from pipeline.outcomes import ResultGone, public_error


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
    kind, message, hint = public_error(*failure)
    return _error(kind, docs, message=message or summary_of(kind), hint=hint)


def describe_gone(docs: str) -> JobError:
    return _error(ResultGone, docs, message=summary_of(ResultGone), hint=ResultGone.hint)


def public_name(name: str) -> str:
    """Return the name by which `describe_failure` tells an error."""
    return public_error(name).kind.__name__


def _error(kind: type[NamedError], docs: str, **words: Any) -> JobError:  # noqa: ANN401
    return JobError(name=kind.__name__, type=type_of(kind, docs), **words)
