"""Hide the console from everybody but operators, before anything of a request is read."""

from __future__ import annotations

from typing import Any, Final

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver

from containers.http_api.current import Current
from containers.http_api.errors import NoSuchPath

_CONSOLE: Final = "/console/"


def operators_only(api: APIGatewayHttpResolver, current: Current) -> None:
    """Answer users who are no operators as if the paths below `/console` did not exist.

    The API's log says which operator sent a request.
    """
    check = api._request_validation_middleware  # noqa: SLF001 - it is the first to see a request

    def guard(app: Any, next_middleware: Any) -> Any:  # noqa: ANN401 - Powertools' own
        path = str(app.context["_path"])
        if path.startswith(_CONSOLE):
            principal = current.principal
            if not principal.operator:
                raise NoSuchPath(f"there is no path {app.current_event.path}")
            current.call.logger.append_keys(operator=principal.name)
        return check(app, next_middleware)

    api._request_validation_middleware = guard  # type: ignore[assignment]  # noqa: SLF001
