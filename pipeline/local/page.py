"""Serve the page, which is plain files, at the root of the local cloud's port."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

INDEX: Final = "index.html"
MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def security_headers() -> dict[str, str]:
    """Return the headers of every file of the page, which may use its own origin only."""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' blob:",
        "connect-src": "'self'",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {text}" for name, text in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


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
        files = {} if _is_for_a_service(environ) else page_files(self._folder)
        if path not in files:
            return self._app(environ, start_response)
        if f"http://{environ['HTTP_HOST']}" != self._origin:
            # Upload forms have the origin's address: from `localhost`, they would be another site's
            moved = [("Location", f"{self._origin}{path}"), ("Content-Length", "0")]
            start_response("307 Temporary Redirect", moved)
            return []
        body = files[path].read_bytes()
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = {**security_headers(), "Cache-Control": "no-cache", "ETag": tag}
        if environ.get("HTTP_IF_NONE_MATCH") == tag:
            start_response("304 Not Modified", list(headers.items()))
            return []
        headers["Content-Type"] = MEDIA_TYPES[files[path].suffix]
        headers["Content-Length"] = str(len(body))
        start_response("200 OK", list(headers.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def page_files(folder: Path) -> Mapping[str, Path]:
    """Return the page's files by their paths; `/` is its index."""
    files = {
        f"/{path.relative_to(folder).as_posix()}": path
        for path in folder.rglob("*")
        if path.suffix in MEDIA_TYPES and path.is_file()
    }
    return files | {"/": files[f"/{INDEX}"]} if files else files


def _is_for_a_service(environ: WSGIEnvironment) -> bool:
    return (
        environ["REQUEST_METHOD"] not in {"GET", "HEAD"}
        or "HTTP_AUTHORIZATION" in environ
        or bool(environ.get("QUERY_STRING"))
    )
