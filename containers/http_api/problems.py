"""Errors as answers: problems with a type, a reason and a hint, as of RFC 9457."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from operator import not_
from typing import Final

from aws_lambda_powertools.event_handler.api_gateway import Response
from pydantic import BaseModel, ConfigDict, Field

from containers.http_api.errors import QuotaExceeded, QuotaState, RequestError, WrongField
from pipeline.errors import CollectionExists, CollectionMissing, NamedError, PermanentError

MEDIA_TYPE: Final = "application/problem+json"
# Errors of the pipeline that say more about a request than that its input cannot be processed.
_STATUSES: Final[Mapping[type[NamedError], HTTPStatus]] = {
    CollectionExists: HTTPStatus.CONFLICT,
    CollectionMissing: HTTPStatus.NOT_FOUND,
}


class Problem(BaseModel):
    """An error. `type` is the address of its description; its fragment is the error's name.

    `title` is the same for all errors of the type, `detail` is about this one. `errors` names the
    fields of an invalid request, `quotas` those of which too little is left.
    """

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    detail: str
    hint: str
    request_id: str
    errors: tuple[WrongField, ...] = Field(default=(), exclude_if=not_)
    quotas: tuple[QuotaState, ...] = Field(default=(), exclude_if=not_)


def describe_problem(
    error: NamedError, *, docs: str, request_id: str, wrong: Iterable[WrongField] = ()
) -> Problem:
    """Return the problem that an error is. `docs` is the address of the folder of documents."""
    return Problem(
        type=type_of(type(error), docs),
        title=summary_of(type(error)),
        status=_status(error),
        detail=error.message,
        hint=error.hint,
        request_id=request_id,
        errors=tuple(wrong),
        quotas=error.quotas if isinstance(error, QuotaExceeded) else (),
    )


def type_of(error: type[NamedError], docs: str) -> str:
    """Return the address of an error's description."""
    return f"{docs}/errors.md#{error.__name__.lower()}"


def summary_of(error: type[NamedError]) -> str:
    """Return what every error of this name means, in a sentence or two."""
    return " ".join((error.__doc__ or "").split())


def problem_response(problem: Problem, headers: Mapping[str, str]) -> Response[str]:
    return Response(
        status_code=problem.status,
        content_type=MEDIA_TYPE,
        body=problem.model_dump_json(),
        headers=dict(headers),
    )


def _status(error: NamedError) -> HTTPStatus:
    if isinstance(error, RequestError):
        return error.status
    if isinstance(error, PermanentError):
        return _STATUSES.get(type(error), HTTPStatus.UNPROCESSABLE_ENTITY)
    return HTTPStatus.SERVICE_UNAVAILABLE
