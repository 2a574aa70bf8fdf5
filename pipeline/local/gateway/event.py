"""Turn a request into API Gateway's event, in payload format 2.0."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from pipeline.local.gateway.route import Route

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_API_ID: Final = "local"
_ROUTE_KEY: Final = "$default"  # one route takes every path
_TEXT_TYPES: Final = frozenset({"application/json", "application/javascript", "application/xml"})


def make_event(
    environ: WSGIEnvironment, body: bytes, route: Route, request_id: str
) -> dict[str, Any]:
    """Return the event of a request whose body was read. The stage is `$default`."""
    headers = _headers(environ)
    cookies = headers.pop("cookie", "")
    query = environ.get("QUERY_STRING", "")
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    now = time.time()
    event = {
        "version": "2.0",
        "routeKey": _ROUTE_KEY,
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
            "routeKey": _ROUTE_KEY,
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
