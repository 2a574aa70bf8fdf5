"""A web server on this machine that serves files as well, or as badly, as a test asks."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

Headers = dict[str, str]


@dataclass
class Page:
    """What one path answers.

    `breaks` holds, for each connection in turn, after how many bytes it breaks off (None: it does
    not); the first one stays open and silent instead where the page `stalls`. `before` runs as the
    connection with that number, from 0, is answered. A page that `splices` sends a part whatever
    If-Range says; a part is `shifted_by` so many bytes.
    """

    body: bytes
    status: int = 200
    promised: int | None = None
    says_length: bool = True
    etag: str | None = '"1"'
    ranges: bool = True
    splices: bool = False
    shifted_by: int = 0
    breaks: list[int | None] = field(default_factory=list)
    stalls: bool = False
    location: str | None = None
    before: Callable[[int], None] = lambda _: None
    connections: int = 0

    def answer(self, asked: Headers) -> tuple[int, Headers, bytes]:
        """Status, headers and body for a request's headers (in small letters)."""
        headers = {"ETag": self.etag} if self.etag else {}
        if self.location:
            return 302, {"Location": self.location, "Content-Length": "0"}, b""
        part = re.fullmatch(r"bytes=(\d+)-", asked.get("range", ""))
        stale = asked.get("if-range") != self.etag and not self.splices
        if part is None or not self.ranges or stale or self.status != 200:
            length = len(self.body) if self.promised is None else self.promised
            said = {"Content-Length": str(length)} if self.says_length else {}
            return self.status, headers | said, self.body
        return self._part(int(part[1]) + self.shifted_by, headers)

    def _part(self, start: int, headers: Headers) -> tuple[int, Headers, bytes]:
        whole = len(self.body)
        if start >= whole:
            return 416, headers | {"Content-Range": f"bytes */{whole}", "Content-Length": "0"}, b""
        place = {"Content-Range": f"bytes {start}-{whole - 1}/{whole}"}
        return 206, headers | place | {"Content-Length": str(whole - start)}, self.body[start:]


class Web(ThreadingHTTPServer):
    """Pages by path, and what was asked: (path, headers in small letters)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.pages: dict[str, Page] = {}
        self.requests: list[tuple[str, Headers]] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def asked(self) -> list[str]:
        return [path for path, _ in self.requests]

    def sent(self, header: str) -> list[str | None]:
        """That header of every request, in order."""
        return [headers.get(header) for _, headers in self.requests]

    def put(self, path: str, body: bytes = b"", **fields: object) -> str:
        self.pages[path] = Page(body, **fields)  # type: ignore[arg-type]
        return self.url + path


class _Answer(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        path = unquote(self.path)
        asked = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((path, asked))
        page = self.server.pages.get(path) or Page(b"", status=404)
        number, page.connections = page.connections, page.connections + 1
        page.before(number)
        status, headers, body = page.answer(asked)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        limit = page.breaks[number] if number < len(page.breaks) else None
        self.wfile.write(body[:limit])
        if page.stalls and number == 0:
            self.wfile.flush()
            self.server.over.wait(30)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def web_server() -> Iterator[Web]:
    with Web() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()
