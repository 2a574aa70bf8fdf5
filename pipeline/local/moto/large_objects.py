"""Keep large objects out of memory: a film is stored, read and copied block by block.

As in `compat`, each function fixes one defect of moto 5.2.5, which has each body in memory at least
once, and reads all of it for each range of it that is asked for.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TypeVar

from moto.s3.models import S3Backend
from moto.s3.responses import S3Response

from pipeline.local.moto.stored_objects import READ_FROM_DISK, RECEIVED, Body

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_Value = TypeVar("_Value")
_Made = TypeVar("_Made")

# True within a request that came through `LargeObjects`: botocore's own mock takes bytes only.
_SERVED: Final = ContextVar("served", default=False)
LARGE: Final = 8 * 2**20  # bytes; boto3 sends what is larger in parts of this size
_BLOCK: Final = 2**20


def apply() -> None:
    """Apply all patches; `compat.apply` calls this once per process."""
    S3Response.get_object = _from_disk(S3Response.get_object, where=_SERVED.get)
    S3Backend.copy_object = _from_disk(S3Backend.copy_object, where=lambda: True)


def _from_disk(do: Any, *, where: Callable[[], bool]) -> Any:
    """A range of an object is cut out of the whole object, and a copy is a copy of that, too."""

    def do_from_disk(*arguments: Any, **options: Any) -> Any:
        return _within(READ_FROM_DISK, where(), lambda: do(*arguments, **options))

    return do_from_disk


class LargeObjects:
    """WSGI middleware that has objects read from disk, and bodies of large PUTs written there."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return _within(_SERVED, True, lambda: self._answer(environ, start_response))  # noqa: FBT003

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        size = _size_of_put(environ)
        if size <= LARGE:
            return self._app(environ, start_response)
        received = Body()
        try:
            with received.path.open("wb") as file:
                while left := size - file.tell():
                    block = environ["wsgi.input"].read(min(left, _BLOCK))
                    if not block:
                        start_response("400 Bad Request", [("Content-Length", "0")])
                        return []
                    file.write(block)
            empty = {"CONTENT_LENGTH": "0", "wsgi.input": io.BytesIO()}
            return _within(RECEIVED, received, lambda: self._app(environ | empty, start_response))
        finally:
            received.path.unlink(missing_ok=True)  # unless an object has it


def _size_of_put(environ: WSGIEnvironment) -> int:
    """Return the bytes of an object that is sent whole, as it is; 0 for any other request."""
    as_it_is = (
        environ["REQUEST_METHOD"] == "PUT"
        and not environ.get("QUERY_STRING")
        and "/s3/" in environ.get("HTTP_AUTHORIZATION", "")
        and not environ.get("HTTP_X_AMZ_CONTENT_SHA256", "").startswith("STREAMING-")
        and "HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM" not in environ
    )
    length = environ.get("CONTENT_LENGTH", "")
    return int(length) if as_it_is and length.isdecimal() else 0


def _within(variable: ContextVar[_Value], value: _Value, do: Callable[[], _Made]) -> _Made:
    token = variable.set(value)
    try:
        return do()
    finally:
        variable.reset(token)
