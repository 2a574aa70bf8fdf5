"""Ports of this machine behind which every request gets the same answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol


class Serve(Protocol):
    """Opens such a port: status, body, the length the body claims to have, and more headers.

    `head` is the status of the answer to a HEAD, if it is another one.
    """

    def __call__(
        self,
        status: int,
        body: bytes = b"",
        *,
        length: int | None = None,
        head: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> int: ...


class Ailing(BaseHTTPRequestHandler):
    """Gives the same answer to every request."""

    protocol_version = "HTTP/1.1"
    status, body, length, head = 200, b"", 0, 200
    more: Mapping[str, str]

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.head if self.command == "HEAD" else self.status)
        self.send_header("Content-Length", str(self.length))
        self.send_header("ETag", '"0"')
        for name, value in self.more.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(self.body * (self.command != "HEAD"))

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def answering() -> Iterator[Serve]:
    """Ports that are open until the block ends."""
    servers: list[ThreadingHTTPServer] = []

    def serve(
        status: int,
        body: bytes = b"",
        *,
        length: int | None = None,
        head: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> int:
        answer = {
            "status": status,
            "body": body,
            "length": len(body) if length is None else length,
            "head": head or status,
            "more": headers or {},
        }
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), type("Ailing", (Ailing,), answer)))
        threading.Thread(target=servers[-1].serve_forever, args=[0.01], daemon=True).start()
        return servers[-1].server_port

    try:
        yield serve
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
