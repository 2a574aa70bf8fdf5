"""A receiver of webhooks on this computer, which answers as a test says and verifies by itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Received:
    """A request that arrived."""

    path: str
    headers: Mapping[str, str]
    body: bytes


def accept(request: BaseHTTPRequestHandler) -> None:
    answer(request, 204)


def answer(request: BaseHTTPRequestHandler, status: int, text: bytes = b"", **more: str) -> None:
    request.send_response(status)
    for name, value in more.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(text)))
    request.end_headers()
    request.wfile.write(text)


def status(code: int, text: bytes = b"", **more: str) -> Reply:
    return lambda request: answer(request, code, text, **more)


@dataclass
class Receiver:
    """Keeps what arrives. Its replies are given in turn; the last one is repeated."""

    port: int = 0
    replies: list[Reply] = field(default_factory=lambda: [accept])
    received: list[Received] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    @property
    def bodies(self) -> list[bytes]:
        return [each.body for each in self.received]

    def take(self, request: BaseHTTPRequestHandler) -> Reply:
        length = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(length)
        with self.lock:
            headers = {name.lower(): text for name, text in request.headers.items()}
            self.received.append(Received(request.path, headers, body))
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def wait_for(self, requests: int, *, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while len(self.received) < requests:
            assert time.monotonic() < deadline, f"{len(self.received)} of {requests} arrived"
            time.sleep(0.05)


@contextmanager
def receiver(*replies: Reply, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run a receiver on a free port of 127.0.0.1 until the block ends."""
    found = Receiver(replies=list(replies) or [accept])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.take(self)(self)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A client that went away is no error here."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def verifies(secret: str, received: Received) -> bool:
    """Verify as the specification of Standard Webhooks says, with nothing of ours."""
    named = {name: received.headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature")}
    if abs(time.time() - int(named["timestamp"])) > 300:
        return False
    content = named["id"].encode() + b"." + named["timestamp"].encode() + b"." + received.body
    key = base64.b64decode(secret.split("_")[1])
    expected = b"v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest())
    return any(
        hmac.compare_digest(expected, each.encode()) for each in named["signature"].split(" ")
    )
