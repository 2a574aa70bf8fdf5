"""Serve the page, which is plain files, at the root of the local cloud's port."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.declared.page import (
    CONFIGURATION,
    CONFIGURATION_TYPE,
    INDEX,
    MEDIA_TYPES,
    REVALIDATED,
    configuration,
    page_files,
    security_headers,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Page:
    """WSGI middleware that answers `GET` of the page's files, and passes on all other requests.

    A request of a program for S3 is signed, so one with an `Authorization` header or a query is
    passed on, even for `/`. Files are read again for each request: a change shows on reload.
    """

    def __init__(self, app: WSGIApplication, folder: Path, *, origin: str) -> None:
        self._app = app
        self._folder = folder
        self._origin = origin

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        found = None if _is_for_a_service(environ) else _found(self._folder, path)
        if found is None:
            return self._app(environ, start_response)
        if f"http://{environ['HTTP_HOST']}" != self._origin:
            # Upload forms have the origin's address: from `localhost`, they would be another site's
            moved = [("Location", f"{self._origin}{path}"), ("Content-Length", "0")]
            start_response("307 Temporary Redirect", moved)
            return []
        body, media_type = found
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = {**security_headers(), "Cache-Control": REVALIDATED, "ETag": tag}
        if environ.get("HTTP_IF_NONE_MATCH") == tag:
            start_response("304 Not Modified", list(headers.items()))
            return []
        headers |= {"Content-Type": media_type, "Content-Length": str(len(body))}
        start_response("200 OK", list(headers.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _found(folder: Path, path: str) -> tuple[bytes, str] | None:
    """Return the bytes and the media type of what is at a path; None if it is not the page's."""
    files = page_files(folder)
    if files and path == f"/{CONFIGURATION}":
        return configuration(None), CONFIGURATION_TYPE
    file = files.get(f"/{INDEX}" if path == "/" else path)
    return (file.read_bytes(), MEDIA_TYPES[file.suffix]) if file else None


def _is_for_a_service(environ: WSGIEnvironment) -> bool:
    return (
        environ["REQUEST_METHOD"] not in {"GET", "HEAD"}
        or "HTTP_AUTHORIZATION" in environ
        or bool(environ.get("QUERY_STRING"))
    )
