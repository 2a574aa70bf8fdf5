"""Answer Lambda's Invoke call in place of moto's Lambda, which needs Docker."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from pipeline.local.lambda_host import LambdaHost

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_INVOKE: Final = re.compile(r"^/2015-03-31/functions/(?P<function>[^/]+)/invocations$")


class LambdaApi:
    """WSGI middleware that answers Invoke for the host's functions and passes on other requests."""

    def __init__(self, app: WSGIApplication, host: LambdaHost, *, arn_prefix: str) -> None:
        self._app = app
        self._host = host
        self._arn_prefix = arn_prefix

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        match = _INVOKE.match(environ["PATH_INFO"])
        name = function_name(unquote(match["function"])) if match else ""
        if environ["REQUEST_METHOD"] != "POST" or name not in self._host:
            return self._app(environ, start_response)
        payload = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or b"{}"
        call = self._call(name, payload)
        kind = environ.get("HTTP_X_AMZ_INVOCATION_TYPE", "RequestResponse")
        status, headers, body = _respond(kind, call)
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]

    def _call(self, name: str, payload: bytes) -> Callable[[], Any]:
        arn = f"{self._arn_prefix}{name}"
        return lambda: self._host.invoke(name, payload, function_arn=arn)


def function_name(reference: str) -> str:
    """Return the function name in `name`, `name:alias`, or an ARN with or without alias."""
    parts = reference.split(":")
    return parts[6] if reference.startswith("arn:") else parts[0]


def _respond(kind: str, call: Callable[[], Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    headers = [
        ("Content-Type", "application/json"),
        ("x-amzn-RequestId", str(uuid.uuid4())),
        ("X-Amz-Executed-Version", "1"),
    ]
    if kind == "DryRun":
        return "204 No Content", headers, b""
    if kind == "Event":
        threading.Thread(target=call, daemon=True).start()
        return "202 Accepted", headers, b""
    answer = call()
    if answer.failed:
        headers.append(("X-Amz-Function-Error", "Unhandled"))
    return "200 OK", headers, answer.payload
