"""Serve the local cloud's application on one port of 127.0.0.1, to programs and its own page.

The same application can also be served at a path of this machine's file system.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

from pipeline.local import in_process
from pipeline.local.own_folder import socket_address

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_STOP_CHECK_S: Final = 0.05
_NAMES: Final = frozenset({"127.0.0.1", "localhost"})


def moto_app() -> WSGIApplication:
    app: WSGIApplication = DomainDispatcherApplication(create_backend_app)
    return app


class LocalServer:
    """A background thread that serves a WSGI application until it is stopped.

    Clients of this process that are connected by `in_process` need no network.
    `disk_full` is set once a service had no room on the disk; the request is answered with 500.
    """

    def __init__(self, port: int) -> None:
        self.disk_full = threading.Event()
        self._app: WSGIApplication | None = None
        server = make_server(
            "127.0.0.1", port, self._dispatch, threaded=True, request_handler=_QuietHandler
        )
        self.port: Final = server.server_port
        self._acceptors = [_Acceptor(server)]

    def start(self, app: WSGIApplication) -> None:
        self._app = app
        self._acceptors[0].start()
        in_process.serve(self.port, self._dispatch)

    @contextlib.contextmanager
    def in_front(self, wrap: Callable[[WSGIApplication], WSGIApplication]) -> Iterator[None]:
        """Wrap the application of a started server until the block ends."""
        before = self._app
        if before is None:
            raise RuntimeError("the server has no application yet")
        self._app = wrap(before)
        try:
            yield
        finally:
            self._app = before

    def listen_at(self, path: Path) -> None:
        """Serve programs of this user at a Unix socket too. Raises OSError if there can be none.

        The folder of `path` decides who can connect.
        """
        with socket.socket(socket.AF_UNIX) as listening:
            with socket_address(path) as address:
                listening.bind(address)
            listening.listen()
            server = make_server(
                f"unix://{path}", 0, self._dispatch, threaded=True,
                request_handler=_SocketHandler, fd=listening.fileno(),
            )  # fmt: skip
        acceptor = _Acceptor(server)
        self._acceptors.append(acceptor)
        acceptor.start()

    def stop(self) -> None:
        in_process.stop_serving(self.port)
        for acceptor in self._acceptors:
            acceptor.stop()

    def _dispatch(self, environ: Any, start_response: Any) -> Any:
        if self._app is None:
            raise RuntimeError("the server got a request before it was started")
        if not _is_allowed(environ, self.port):
            start_response("403 Forbidden", [("Content-Length", "0")])
            return []
        try:
            return self._app(environ, start_response)
        except (OSError, sqlite3.OperationalError) as error:
            if not _is_full(error):
                raise
            self.disk_full.set()
            start_response("500 Internal Server Error", [("Content-Length", "0")])
            return []


class _Acceptor:
    """A thread that accepts the connections of one address."""

    def __init__(self, server: BaseWSGIServer) -> None:
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever, args=(_STOP_CHECK_S,), daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


def _is_full(error: OSError | sqlite3.OperationalError) -> bool:
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    return error.sqlite_errorcode == sqlite3.SQLITE_FULL


def _is_allowed(environ: WSGIEnvironment, port: int) -> bool:
    """Return False for a request of a web page, unless the page is our own.

    moto answers pages of every site: a page open in a browser could read and empty the buckets.
    A page that had its own host name lead to this machine would send that name. A page of another
    site, or of another port, names itself as `Origin`, or its browser says so (Fetch Metadata);
    such a page may only link to ours.
    """
    host, _, named = environ.get("HTTP_HOST", "").rpartition(":")
    if not (host in _NAMES or host.endswith(".localhost")):
        return False
    if "HTTP_ORIGIN" in environ:
        return (
            host in _NAMES
            and named == str(port)
            and environ["HTTP_ORIGIN"] == f"http://{host}:{port}"
            and environ.get("HTTP_SEC_FETCH_SITE", "same-origin") == "same-origin"
        )
    if environ.get("HTTP_SEC_FETCH_SITE", "none") in {"none", "same-origin"}:
        return True
    return (
        environ["REQUEST_METHOD"] == "GET"
        and environ.get("HTTP_SEC_FETCH_MODE") == "navigate"
        and environ["PATH_INFO"] == "/"
        and not environ.get("QUERY_STRING")
    )


class _QuietHandler(MotoRequestHandler):  # type: ignore[misc]  # moto is untyped
    # For chunked answers and 100 Continue. werkzeug closes every connection all the same.
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def finish(self) -> None:
        """Close the connection; a worker that was killed does not wait for the response."""
        with contextlib.suppress(ConnectionError):
            super().finish()

    def handle_expect_100(self) -> bool:
        """Send 100 Continue at once: buffered, it would delay each upload by a second."""
        proceed = bool(super().handle_expect_100())
        self.wfile.flush()
        return proceed

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Log no requests: a line per call would hide all other output."""


class _SocketHandler(_QuietHandler):
    """Serves a Unix socket, which has no setting of TCP's."""

    disable_nagle_algorithm = False
