"""Answer the paths below `/api` with a Lambda function, within API Gateway's limits."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from http import HTTPStatus
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import get_input_stream

from pipeline.local.gateway.answer import Reply, message, read_answer
from pipeline.local.gateway.event import make_event
from pipeline.local.gateway.key_authorizer import KeyAuthorizer
from pipeline.local.gateway.route import Route
from pipeline.local.lambda_host import LambdaHost
from pipeline.local.runtime_api import Answer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX: Final = "/api"
_LONGEST_S: Final = 30.0
_MOST_REQUEST: Final = 10 * 1024 * 1024  # bytes
_MOST_PAYLOAD: Final = 6 * 1024 * 1024  # bytes that a function takes or returns
_OF_THE_GATEWAY: Final = frozenset({"content-length", "transfer-encoding"})


class Gateway:
    """WSGI middleware that answers requests below `/api` and passes on all others."""

    def __init__(
        self,
        app: WSGIApplication,
        host: LambdaHost,
        route: Route,
        *,
        keys: KeyAuthorizer | None = None,
        longest_s: float = _LONGEST_S,
    ) -> None:
        self._app = app
        self._host = host
        self._route = route
        self._keys = keys
        self._longest_s = longest_s

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not f"{environ['PATH_INFO']}/".startswith(f"{PREFIX}/"):
            return self._app(environ, start_response)
        request_id = str(uuid.uuid4())
        reply = self._reply(environ, request_id)
        headers = [each for each in reply.headers.items() if each[0] not in _OF_THE_GATEWAY]
        headers += [("set-cookie", cookie) for cookie in reply.cookies]
        if reply.status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
            headers.append(("content-length", str(len(reply.body))))
        start_response(_line(reply.status), [*headers, ("apigw-requestid", request_id)])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [reply.body]

    def _reply(self, environ: WSGIEnvironment, request_id: str) -> Reply:
        try:
            body = _body_of(environ)
        except ClientDisconnected:
            return message(HTTPStatus.BAD_REQUEST, "Bad Request")
        if len(body) > _MOST_REQUEST:
            return message(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request Entity Too Large")
        request = make_event(environ, body, self._route, request_id)
        if denied := self._authorize(request):
            return denied
        event = json.dumps(request).encode()
        if len(event) > _MOST_PAYLOAD:
            return message(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request Entity Too Large")
        try:
            answer = self._invoke(event).result(self._longest_s)
        except NoAnswer:
            return message(HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable")
        accepted = not answer.failed and len(answer.payload) <= _MOST_PAYLOAD
        reply = read_answer(answer.payload) if accepted else None
        return reply or message(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")

    def _authorize(self, request: dict[str, Any]) -> Reply | None:
        """Name the owner of the request's key, if it has one; return an answer if it is denied."""
        if self._keys is None or not self._keys.takes(request["headers"]):
            return None
        try:
            user = self._keys.authorize(request)
        except ValueError:
            return message(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")
        if user is None:
            return message(HTTPStatus.FORBIDDEN, "Forbidden")
        request["requestContext"]["authorizer"] = user
        return None

    def _invoke(self, event: bytes) -> Future[Answer]:
        future: Future[Answer] = Future()

        def invoke() -> None:
            route = self._route
            future.set_result(
                self._host.invoke(route.function, event, function_arn=route.function_arn)
            )

        Thread(target=invoke, daemon=True).start()
        return future


def _body_of(environ: WSGIEnvironment) -> bytes:
    """Return the body, or more bytes than a request may have.

    Raises ClientDisconnected if it has fewer than its length says.
    """
    stream, body = get_input_stream(environ, max_content_length=None), b""
    while len(body) <= _MOST_REQUEST and (more := stream.read(_MOST_REQUEST + 1 - len(body))):
        body += more
    return body


def _line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"
