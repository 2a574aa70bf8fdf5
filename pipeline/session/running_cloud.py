"""Use a local cloud that runs, in this process or in another one: upload files, fetch results.

Plain HTTP: boto3 takes half a second to load, more than a photo takes in a cloud that is up.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from email.header import Header
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import quote

from pipeline.declared.names import LOCAL_NAMES
from pipeline.local.own_folder import in_own_folders, is_private, socket_address
from pipeline.session.run_messages import (
    DISK_PATH,
    RUNS_PATH,
    SOCKET,
    Greeting,
    MediaEnded,
    RunModels,
    RunRequest,
    TranscriptProgress,
    parse_news,
)

Address = Path | int  # a Unix socket, or a port of 127.0.0.1

_GREETING_S: Final = 5.0  # a process that was suspended accepts connections, and never answers
_BLOCK: Final = 2**20
_CODE: Final = re.compile(rb"<Code>(\w+)</Code>")
_GONE: Final = (http.client.HTTPException, ConnectionError)
# The local cloud knows by it that a request is for S3; it checks no signature in a header.
_FOR_S3: Final = {
    "Authorization": "AWS4-HMAC-SHA256 Credential="
    f"matteline/20260101/{LOCAL_NAMES.region}/s3/aws4_request, SignedHeaders=host, Signature=none"
}


class CloudStopped(Exception):
    """The cloud stopped, or its process was killed."""


class CloudRefused(Exception):
    """The cloud did not store or return an object; the message says why."""


class Unusable(Exception):
    """A run cannot use a cloud. The message says why; it is empty if the run's own would say it."""


class RunningCloud:
    """A local cloud, as one run uses it. Its threads may use it at the same time.

    The keys of the run's files begin with `greeting.prefix`. `models` are those of files that name
    none, and why.
    """

    def __init__(
        self, address: Address, greeting: Greeting, models: RunModels, lines: _Lines
    ) -> None:
        self.greeting = greeting
        self.models = models
        self._address = address
        self._lines = lines
        self._lock = threading.Lock()
        self._open: set[socket.socket] | None = set()  # None: this side has left

    def leave(self) -> None:
        """Cut all requests off, with CloudStopped: a suspended cloud would never answer them."""
        with self._lock:
            connections, self._open = self._open, None
        for connection in connections or ():
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def upload(self, path: Path, key: str, metadata: Mapping[str, str]) -> None:
        """Store a file in the ingest bucket.

        Raises OSError if it cannot be read, CloudRefused, or CloudStopped.
        """
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            headers = {f"x-amz-meta-{name}": _in_ascii(text) for name, text in metadata.items()}
            headers |= {"Content-Length": str(size)}
            place = f"/{LOCAL_NAMES.bucket('ingest')}/{quote(key)}"
            sent = _exactly(file, size)
            with self._asking("PUT", place, body=sent, headers=_FOR_S3 | headers):
                pass

    def fetch(self, uri: str, target: Path) -> None:
        """Write an object to a file. Raises OSError, CloudRefused, or CloudStopped."""
        with (
            self._asking("GET", f"/{quote(uri.removeprefix('s3://'))}") as answer,
            target.open("wb") as out,
        ):
            shutil.copyfileobj(answer, out, _BLOCK)
            if answer.length:  # http.client takes what was cut off for whole
                raise CloudStopped

    def told(self) -> Iterator[MediaEnded | TranscriptProgress]:
        """Yield what becomes of the run's files, until the cloud stops."""
        while line := self._lines.line():
            yield parse_news(line)

    def disk_is_full(self) -> bool:
        """Return True if a service of the cloud has had no room on its disk."""
        try:
            with self._asking("GET", DISK_PATH) as answer:
                return answer.read() == b"true"
        except (CloudRefused, CloudStopped):
            return False

    @contextmanager
    def _asking(
        self,
        method: str,
        place: str,
        *,
        body: Iterator[bytes] | None = None,
        headers: Mapping[str, str] = _FOR_S3,
    ) -> Iterator[http.client.HTTPResponse]:
        """Provide the answer to a request. Raises CloudRefused, or CloudStopped."""
        connection = _Connection(self._address)
        with closing(connection), self._until_left(connection):
            response = _answer(connection, method, place, body, headers)
            try:
                if response.status != http.client.OK:
                    found = _CODE.search(response.read())
                    code = found[1].decode() if found else response.reason
                    raise CloudRefused(f"status {response.status}: {code}")
                yield response
            except _GONE as error:
                raise CloudStopped from error

    @contextmanager
    def _until_left(self, connection: _Connection) -> Iterator[None]:
        """Connect, and let `leave` cut the connection off until the block ends."""
        try:
            connection.connect()
        except (ConnectionError, TimeoutError) as error:
            raise CloudStopped from error
        with self._lock:
            if self._open is None:
                raise CloudStopped
            self._open.add(connection.connected)
        try:
            yield
        finally:
            with self._lock:
                if self._open:
                    self._open.discard(connection.connected)


def find_clouds() -> list[Path]:
    """Return the sockets of this user's clouds that are up, the latest first.

    Other users' are left out: one that never accepts would hold the run up.
    """
    times = {}
    for path in (path for path in in_own_folders(SOCKET) if is_private(path.parent)):
        try:
            times[path] = path.lstat().st_mtime_ns
        except OSError:
            continue  # it has just stopped
    return sorted(times, key=lambda path: times[path], reverse=True)


@contextmanager
def attached(address: Address, request: RunRequest) -> Iterator[RunningCloud]:
    """Use a cloud until the block ends. Raises Unusable if the run cannot."""
    with ExitStack() as stack:
        try:
            cloud = _greeted(stack, address, request)
        except (ValueError, TypeError, TimeoutError, CloudStopped):
            raise Unusable("") from None  # it has just stopped, or is something else
        yield cloud


def _greeted(stack: ExitStack, address: Address, request: RunRequest) -> RunningCloud:
    connection = _Connection(address, timeout=_GREETING_S)
    stack.callback(connection.close)
    response = _answer(connection, "POST", RUNS_PATH, request.line, {})
    lines = _Lines(connection, response)
    stack.callback(lines.close)
    greeting = Greeting.parse(lines.line())
    if greeting.difference:
        raise Unusable(f"the one on {greeting.endpoint} {greeting.difference}")
    connection.connected.settimeout(None)  # to find a model may take long
    chosen = RunModels.parse(lines.line())
    if chosen.models is None:
        raise Unusable("")
    return RunningCloud(address, greeting, chosen, lines)


class _Connection(http.client.HTTPConnection):
    """A connection for one request."""

    connected: socket.socket

    def __init__(self, address: Address, *, timeout: float | None = None) -> None:
        self._address = address
        super().__init__("127.0.0.1", address if isinstance(address, int) else 0, timeout)

    def connect(self) -> None:
        """Connect. Raises ConnectionError also where another user may have put the socket."""
        if isinstance(self._address, int):
            super().connect()
        else:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(_GREETING_S)
            try:
                with socket_address(self._address) as address:
                    self.sock.connect(address)
            except OSError as error:
                raise ConnectionRefusedError(str(error)) from error
            # Only now: until the connection stood, the folder could have become another one.
            if not is_private(self._address.parent):
                raise ConnectionRefusedError("other users could have put it there")
            self.sock.settimeout(self.timeout)
        self.connected = self.sock


class _Lines:
    """The answer to a run, read by one thread and closed by another."""

    def __init__(self, connection: _Connection, response: http.client.HTTPResponse) -> None:
        self._socket = connection.connected
        self._response = response

    def line(self) -> bytes:
        """Return the next line; empty once the cloud has stopped, or this side has closed it."""
        try:
            line = self._response.readline()
        except _GONE:
            return b""
        return line if line.endswith(b"\n") else b""  # the process may be killed while it writes

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)


def _answer(
    connection: _Connection,
    method: str,
    place: str,
    body: Iterator[bytes] | bytes | None,
    headers: Mapping[str, str],
) -> http.client.HTTPResponse:
    try:
        with suppress(BrokenPipeError, ConnectionResetError):  # a refusal may come early
            connection.request(method, place, body, dict(headers))
        return connection.getresponse()
    except _GONE as error:
        raise CloudStopped from error


def _in_ascii(text: str) -> str:
    """Return a text as metadata may have it: what is not ASCII in RFC 2047's words."""
    return text if text.isascii() else Header(text, "utf-8", maxlinelen=0).encode(linesep="")


def _exactly(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield `size` bytes of a file. Raises OSError if it has fewer."""
    while size:
        block = file.read(min(size, _BLOCK))
        if not block:
            raise OSError(f"{file.name}: it became shorter while it was read")
        size -= len(block)
        yield block
