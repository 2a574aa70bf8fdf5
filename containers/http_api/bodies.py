"""Read the bodies of requests: JSON, and nothing else."""

from __future__ import annotations

import json
from typing import Any, Final

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import (
    OpenAPIRequestValidationMiddleware,
)

from containers.http_api.errors import InvalidRequest, UnsupportedContent, WrongFields

_JSON: Final = frozenset({"application/json", ""})  # a client may leave the type out
_DEEPEST: Final = 32  # levels of lists and objects; what is asked for has five


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
        if _is_deeper(read, _DEEPEST):
            says = f"lists and objects are nested more than {_DEEPEST} deep"
            raise WrongFields.one(InvalidRequest(says), "body")
        return read


def _is_deeper(value: Any, levels: int) -> bool:  # noqa: ANN401 - JSON
    """Return True if lists and objects have more levels: pydantic fails to write some hundreds."""
    inside = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list):
        return False
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inside)
