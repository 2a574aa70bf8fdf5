"""Read the bodies of requests: JSON, and nothing else."""

from __future__ import annotations

import json
from typing import Any, Final

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import (
    OpenAPIRequestValidationMiddleware,
)

from containers.http_api.errors import InvalidRequest, UnsupportedContent, WrongFields
from pipeline.nesting import is_deeper

_JSON: Final = frozenset({"application/json", ""})  # a client may leave the type out
# Levels of lists and objects: what is asked for has five; pydantic fails to write some hundreds.
_DEEPEST: Final = 32


def read_json_only(api: APIGatewayHttpResolver) -> None:
    """Refuse forms, which Powertools reads too, and bodies at which it fails."""
    reader: OpenAPIRequestValidationMiddleware = _JsonOnly()  # type: ignore[no-untyped-call]
    api._request_validation_middleware = reader  # noqa: SLF001 - Powertools has no setting


class _JsonOnly(OpenAPIRequestValidationMiddleware):
    def _get_body(self, app: Any) -> Any:  # noqa: ANN401
        """Return what the body says. Raises UnsupportedContent or WrongFields."""
        said = app.current_event.headers.get("content-type", "")
        if said.partition(";")[0].strip().lower() not in _JSON:
            raise UnsupportedContent(f"the body is said to be {said:.100}")
        try:
            read = app.current_event.json_body
            # JSON has no infinite numbers, and half of a surrogate pair is no text.
            json.dumps(read, allow_nan=False, ensure_ascii=False).encode()
        except (RecursionError, ValueError) as error:
            says = f"the body is not JSON: {error}"
            raise WrongFields.one(InvalidRequest(says), "body") from error
        if is_deeper(read, _DEEPEST):
            says = f"lists and objects are nested more than {_DEEPEST} deep"
            raise WrongFields.one(InvalidRequest(says), "body")
        return read
