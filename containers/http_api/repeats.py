"""Answer a repeated request as the first time: the header `Idempotency-Key` marks repeats."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, TypeVar

from aws_lambda_powertools.event_handler.openapi.params import Header
from pydantic import BaseModel

from containers.http_api.current import Current
from containers.http_api.errors import IdempotencyKeyReused, RequestInProgress

_KEPT: Final = timedelta(days=1)
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


@dataclass(frozen=True)
class Marked:
    """A request that was marked with a key, and may be a repeat of one that was not answered.

    Such a request may have started something, so what it starts has a name that follows from it.
    `digests` are those of the UTC days in which the first one may have come, today's first.
    """

    now: datetime
    digests: tuple[tuple[datetime, bytes], ...]

    @classmethod
    def by(cls, identity: object, now: datetime) -> Marked:
        today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        content = json.dumps(identity, sort_keys=True)
        return cls(
            now,
            tuple(
                (day, hashlib.sha256(f"{day:%Y-%m-%d}\n{content}".encode()).digest())
                for day in (today, today - timedelta(days=1))
            ),
        )

    @property
    def since(self) -> datetime:
        """Return when the first one came at the earliest."""
        return self.now - _KEPT


def answer_once(
    current: Current,
    key: str | None,
    asked: object,
    answer: Callable[[Marked | None], Answer],
    kind: type[Answer],
) -> Answer:
    """Return `answer(…)`, or what it returned for the caller's first request with this key.

    `answer` gets the mark that the request has, None without a key. `asked` is all that the request
    asks for, as JSON; `kind` is what `answer` returns. Raises
    IdempotencyKeyReused if the first request asked for something else, RequestInProgress while it
    is being answered. An error is no answer: the request may be sent again with its key.
    """
    if key is None:
        return answer(None)
    from aws_lambda_powertools.utilities import idempotency
    from aws_lambda_powertools.utilities.idempotency import exceptions

    site, name = current.site, [current.principal.prefix, key]
    marked = Marked.by([*name, asked], datetime.now(UTC))
    config = idempotency.IdempotencyConfig(
        event_key_jmespath="key",
        payload_validation_jmespath="asked",
        expires_after_seconds=int(_KEPT.total_seconds()),
        hash_function="sha256",
        lambda_context=current.call.lambda_context,
    )
    store = idempotency.DynamoDBPersistenceLayer(
        table_name=site.names.table(_TABLE), boto3_client=site.client("dynamodb")
    )

    def answered(*, request: object) -> object:  # noqa: ARG001 - the utility reads it
        return answer(marked).model_dump(mode="json")

    first = idempotency.idempotent_function(
        answered,
        data_keyword_argument="request",
        persistence_store=store,
        config=config,
        key_prefix="api",
    )
    try:
        told = first(request={"key": name, "asked": asked})
    except exceptions.IdempotencyValidationError as error:
        raise IdempotencyKeyReused(f"{key!r:.100} was the key of another request") from error
    except exceptions.IdempotencyAlreadyInProgressError as error:
        raise RequestInProgress(f"the request with the key {key!r:.100} is not done") from error
    return kind.model_validate(told)
