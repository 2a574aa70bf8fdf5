"""Answer the paths below `/api` as Amazon API Gateway's HTTP API does, with a Lambda function.

Events and answers have payload format 2.0. The route is `$default`, the stage is `$default`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Thread
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import get_input_stream

from pipeline.local.key_authorizer import KeyAuthorizer
from pipeline.local.lambda_host import LambdaHost
from pipeline.local.runtime_api import Answer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX: Final = "/api"
_LONGEST_S: Final = 30.0
_MOST_REQUEST: Final = 10 * 1024 * 1024  # bytes
_MOST_PAYLOAD: Final = 6 * 1024 * 1024  # bytes that a function takes or returns
_TEXT_TYPES: Final = frozenset({"application/json", "application/javascript", "application/xml"})
_LOWEST: Final = 100  # statuses of HTTP
_HIGHEST: Final = 599
_API_ID: Final = "local"
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OF_THE_GATEWAY: Final = frozenset({"content-length", "transfer-encoding"})
PRINCIPAL_HEADER: Final = "x-matteline-principal"
SCOPES_HEADER: Final = "x-matteline-scopes"  # separated by spaces


@dataclass(frozen=True)
class Route:
    """The function behind the API, and the local user."""

    function: str
    function_arn: str
    account: str
    access_key: str

    def authorizer(self, headers: Mapping[str, str]) -> dict[str, Any]:
        """Return what API Gateway says of the user: of the local one, authorised by IAM.

        A request may name another one, for tests with several: it is authorised as a Lambda
        authoriser would, with the scopes that it names.
        """
        if principal := headers.get(PRINCIPAL_HEADER):
            return {"lambda": {"principal": principal, "scopes": headers.get(SCOPES_HEADER, "")}}
        name = self.access_key
        return {
            "iam": {
                "accessKey": self.access_key,
                "accountId": self.account,
                "callerId": name,
                "cognitoIdentity": None,
                "principalOrgId": None,
                "userArn": f"arn:aws:iam::{self.account}:user/{name}",
                "userId": name,
            }
        }


@dataclass(frozen=True)
class _Reply:
    """An answer over HTTP, before the gateway's own headers."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()


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

    def _reply(self, environ: WSGIEnvironment, request_id: str) -> _Reply:
        try:
            body = _body_of(environ)
        except ClientDisconnected:
            return _message(HTTPStatus.BAD_REQUEST, "Bad Request")
        if len(body) > _MOST_REQUEST:
            return _message(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request Entity Too Large")
        request = _event(environ, body, self._route, request_id)
        if denied := self._authorize(request):
            return denied
        event = json.dumps(request).encode()
        if len(event) > _MOST_PAYLOAD:
            return _message(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request Entity Too Large")
        try:
            answer = self._invoke(event).result(self._longest_s)
        except NoAnswer:
            return _message(HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable")
        reply = None if answer.failed else _read(answer.payload)
        return reply or _message(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")

    def _authorize(self, request: dict[str, Any]) -> _Reply | None:
        """Name the owner of the request's key, if it has one; return an answer if it is denied."""
        if self._keys is None or not self._keys.takes(request["headers"]):
            return None
        try:
            user = self._keys.authorize(request)
        except ValueError:
            return _message(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")
        if user is None:
            return _message(HTTPStatus.FORBIDDEN, "Forbidden")
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


def _event(environ: WSGIEnvironment, body: bytes, route: Route, request_id: str) -> dict[str, Any]:
    headers = _headers(environ)
    cookies = headers.pop("cookie", "")
    query = environ.get("QUERY_STRING", "")
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    now = time.time()
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": route.account,
            "apiId": _API_ID,
            "authorizer": route.authorizer(headers),
            "domainName": headers.get("host", ""),
            "domainPrefix": _API_ID,
            "http": {
                "method": environ["REQUEST_METHOD"],
                "path": path,
                "protocol": environ["SERVER_PROTOCOL"],
                "sourceIp": environ["REMOTE_ADDR"],
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = [each.strip() for each in cookies.split(";")]
    if parameters := _joined(parse_qsl(query, keep_blank_values=True)):
        event["queryStringParameters"] = parameters
    return event | _body(body, headers)


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    """Return the headers by their names in small letters; equal ones are joined with commas."""
    named = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): text
        for name, text in environ.items()
        if name.startswith("HTTP_") or (name in {"CONTENT_TYPE", "CONTENT_LENGTH"} and text)
    }
    return named | {
        "x-forwarded-for": environ["REMOTE_ADDR"],
        "x-forwarded-port": environ["SERVER_PORT"],
        "x-forwarded-proto": environ["wsgi.url_scheme"],
    }


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, text in pairs:
        joined[name] = f"{joined[name]},{text}" if name in joined else text
    return joined


def _body(body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the body as text, or in base64 unless its type is that of a text."""
    if not body:
        return {}
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind in _TEXT_TYPES:
        try:
            return {"body": body.decode()}
        except UnicodeDecodeError:
            pass  # its type says text, but its bytes are not
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _read(payload: bytes) -> _Reply | None:
    """Read a function's answer; None if API Gateway would not accept it."""
    if len(payload) > _MOST_PAYLOAD:
        return None
    try:
        answer = json.loads(payload)
        return _described(answer) if _has_status(answer) else _whole(answer)
    except (AttributeError, OverflowError, RecursionError, TypeError, ValueError):
        return None


def _has_status(answer: object) -> bool:
    return isinstance(answer, dict) and "statusCode" in answer


def _whole(answer: object) -> _Reply:
    """Return an answer without a status as the body of a response, as API Gateway does."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return _Reply(HTTPStatus.OK, text.encode(), {"content-type": "application/json"})


def _described(answer: Mapping[str, Any]) -> _Reply:
    status = int(answer["statusCode"])
    if not _LOWEST <= status <= _HIGHEST:
        raise ValueError(f"{status} is no status")
    return _Reply(
        status,
        _bytes_of(answer.get("body") or "", encoded=answer.get("isBase64Encoded", False)),
        {"content-type": "text/plain;charset=UTF-8"} | _plain(answer.get("headers") or {}),
        tuple(map(_one_line, answer.get("cookies") or ())),
    )


def _plain(headers: Mapping[str, object]) -> dict[str, str]:
    return {
        _token(name).lower(): _one_line(text if isinstance(text, str) else json.dumps(text))
        for name, text in headers.items()
    }


def _token(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a header")
    return name


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"a header with a control character: {text!r}")
    text.encode("latin-1")  # HTTP has no other characters
    return text


def _bytes_of(body: str, *, encoded: bool) -> bytes:
    if not encoded:
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise ValueError("the body is not base64") from error


def _message(status: HTTPStatus, text: str) -> _Reply:
    body = json.dumps({"message": text}, separators=(",", ":")).encode()
    return _Reply(status, body, {"content-type": "application/json"})


def _line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"
