"""Answer boto3's requests to this process's own servers without a network connection.

A call costs a third of one over HTTP. The WSGI application is the same, so are its checks.
"""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import HTTPClientError
from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_LOG = logging.getLogger(__name__)
_APPLICATIONS: Final[dict[int, WSGIApplication]] = {}  # by port
_BREAKS: Final = re.compile(r"[\r\n]")
_NAMES: Final = ("127.0.0.1", "localhost")


def serve(port: int, app: WSGIApplication) -> None:
    """Answer requests to this port of 127.0.0.1 with the application."""
    _APPLICATIONS[port] = app


def stop_serving(port: int) -> None:
    """Let requests to this port go to the network again."""
    _APPLICATIONS.pop(port, None)


def connect(client: Any) -> Any:
    """Return the boto3 client; what this process serves reaches it without the network."""
    client.meta.events.register_first("before-send", _answer)
    return client


def _answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
    """Answer a request to a server of this process; return None for any other."""
    address = urlsplit(request.url)
    app = _APPLICATIONS.get(address.port or 0)
    if app is None or not (address.hostname or "").endswith(_NAMES):
        return None
    environ = _environ(request)
    answered: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
        answered.append((status, headers))
        return _no_writing

    try:
        parts = app(environ, start_response)
        try:
            content = _joined(iter(parts))
        finally:
            if hasattr(parts, "close"):
                parts.close()
    except Exception:  # noqa: BLE001 - as a server does; boto3 tries again
        _LOG.exception("error on request %s %s", request.method, request.url)
        answered.append(("500 Internal Server Error", []))
        content = b""
    status, told = answered[-1]
    headers: Any = told
    raw: Any = _Content(content)
    return AWSResponse(request.url, int(status.split(" ", 1)[0]), headers, raw)


class _Content(io.BytesIO):
    """The body of an answer, with the method of urllib3's that botocore calls."""

    def stream(self, amt: int = 2**20, **_: Any) -> Iterator[bytes]:
        while part := self.read(amt):
            yield part


def _joined(parts: Iterator[bytes]) -> bytes:
    """Return all parts as one; a single one is not copied."""
    first = next(parts, b"")
    rest = b"".join(parts)
    return first + rest if rest else first


def _no_writing(_: bytes) -> None:
    raise TypeError("an application of this process returns its answer and writes none")


def _environ(request: AWSPreparedRequest) -> WSGIEnvironment:
    address = urlsplit(request.url)
    target = address.path or "/"
    return {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": address.scheme,
        "wsgi.input": _body(request.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(target).encode().decode("latin-1"),
        "QUERY_STRING": address.query,
        "REQUEST_URI": f"{target}?{address.query}" if address.query else target,
        "RAW_URI": f"{target}?{address.query}" if address.query else target,
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(address.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        **_variables({"Host": address.netloc, **request.headers}),
    }


def _variables(headers: Mapping[str, str | bytes]) -> WSGIEnvironment:
    """Return headers as a server of moto's does; it keeps underscores in names of S3 metadata.

    Raises HTTPClientError, as HTTP does, for one that would be several lines.
    """
    variables: WSGIEnvironment = {}
    spelt: dict[str, str] = {}
    for name, text in headers.items():
        variable = environ_key_for_header(name)
        value = text.decode("latin-1") if isinstance(text, bytes) else str(text)
        if _BREAKS.search(name + value):
            raise HTTPClientError(error=ValueError(f"invalid header {name!r}: {value!r}"))
        if "_" in name:
            if variable in variables or not should_preserve_original_header_name(name):
                continue
            spelt[variable] = name
        variables[variable] = value
    return variables | {PRESERVED_HEADER_NAMES_ENVIRON_KEY: spelt}


def _body(body: Any) -> IO[bytes]:
    if body is None:
        return io.BytesIO()
    if isinstance(body, str):
        return io.BytesIO(body.encode())
    if isinstance(body, bytes | bytearray):
        return io.BytesIO(body)
    stream: IO[bytes] = body
    return stream
