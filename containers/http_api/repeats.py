"""Answer a repeated request as the first time: the header `Idempotency-Key` marks repeats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, TypeVar

from aws_lambda_powertools.event_handler.openapi.params import Header
from pydantic import BaseModel

from containers.http_api.current import Current
from containers.http_api.problems import IdempotencyKeyReused, RequestInProgress

_KEPT_S: Final = 24 * 60 * 60
_TABLE: Final = "requests"
Answer = TypeVar("Answer", bound=BaseModel)

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Marks repeats of one request: for a day, they get the first answer.",
    ),
]


def answer_once(
    current: Current,
    key: str | None,
    asked: object,
    answer: Callable[[], Answer],
    kind: type[Answer],
) -> Answer:
    """Return `answer()`, or what it returned for the caller's first request with this key.

    `asked` is all that the request asks for, as JSON; `kind` is what `answer` returns. Raises
    IdempotencyKeyReused if the first request asked for something else, RequestInProgress while it
    is being answered. An error is no answer: the request may be sent again with its key.
    """
    if key is None:
        return answer()
    from aws_lambda_powertools.utilities import idempotency
    from aws_lambda_powertools.utilities.idempotency import exceptions

    site = current.site
    config = idempotency.IdempotencyConfig(
        event_key_jmespath="key",
        payload_validation_jmespath="asked",
        expires_after_seconds=_KEPT_S,
        hash_function="sha256",
        lambda_context=current.call.lambda_context,
    )
    store = idempotency.DynamoDBPersistenceLayer(
        table_name=site.names.table(_TABLE), boto3_client=site.client("dynamodb")
    )

    def answered(*, request: object) -> object:  # noqa: ARG001 - the utility reads it
        return answer().model_dump(mode="json")

    first = idempotency.idempotent_function(
        answered,
        data_keyword_argument="request",
        persistence_store=store,
        config=config,
        key_prefix="api",
    )
    try:
        told = first(request={"key": [current.principal.prefix, key], "asked": asked})
    except exceptions.IdempotencyValidationError as error:
        raise IdempotencyKeyReused(f"{key!r:.100} was the key of another request") from error
    except exceptions.IdempotencyAlreadyInProgressError as error:
        raise RequestInProgress(f"the request with the key {key!r:.100} is not done") from error
    return kind.model_validate(told)
