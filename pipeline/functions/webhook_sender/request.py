"""POST a message to an IP address that was checked: no redirects, no proxies, limited time.

`http.client` alone follows no redirect, reads no proxy variable and takes a connection that is made
already, so that nothing resolves the host name a second time.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipeline.webhooks.addresses import Address
from pipeline.webhooks.errors import ReceiverUnavailable

_READ_BYTES: Final = 2048  # of an answer's body
_EXCERPT: Final = 200  # characters of it in an error
_BAD: Final = 300


@dataclass(frozen=True)
class Limits:
    """How long a request may take, in seconds, and which certificates are trusted."""

    connect_s: float = 5
    total_s: float = 15
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)


@dataclass(frozen=True)
class Answer:
    """A receiver's answer: its status, and the beginning of its text if it did not accept."""

    status: int
    excerpt: str


def post(
    address: Address,
    hosts: Sequence[str],
    body: bytes,
    headers: Mapping[str, str],
    limits: Limits | None = None,
) -> Answer:
    """Send one request to the first of these IP addresses that accepts a connection.

    The certificate must be that of the address's host name. Raises ReceiverUnavailable if there is
    no complete answer in time.
    """
    limits = limits or Limits()
    deadline = time.monotonic() + limits.total_s
    try:
        connection = _connect(hosts, address.port, limits, deadline)
        with connection, _ended_at(deadline, connection) as ended:
            try:
                return _exchange(connection, address, body, headers, limits)
            except (OSError, http.client.HTTPException, ValueError) as error:
                late = ended.is_set() or isinstance(error, TimeoutError)
                said = f"no answer within {limits.total_s:g} seconds" if late else _said(error)
                raise ReceiverUnavailable(f"{address.authority}: {said}") from error
    except OSError as error:
        raise ReceiverUnavailable(f"{address.authority}: no connection: {_said(error)}") from error


def _connect(hosts: Sequence[str], port: int, limits: Limits, deadline: float) -> socket.socket:
    failed: OSError = TimeoutError("no time left")
    for host in hosts:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            return socket.create_connection((host, port), timeout=min(limits.connect_s, left))
        except OSError as error:
            failed = error
    raise failed


@contextlib.contextmanager
def _ended_at(deadline: float, connection: socket.socket) -> Iterator[threading.Event]:
    """Shut the connection down at the deadline: timeouts of sockets count from byte to byte."""
    ended = threading.Event()
    handle = connection.dup()  # TLS takes the socket over

    def end() -> None:
        ended.set()
        with contextlib.suppress(OSError):  # the receiver was faster
            handle.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0, deadline - time.monotonic()), end)
    timer.start()
    try:
        yield ended
    finally:
        timer.cancel()
        timer.join()
        handle.close()


def _exchange(
    connection: socket.socket,
    address: Address,
    body: bytes,
    headers: Mapping[str, str],
    limits: Limits,
) -> Answer:
    connection.settimeout(limits.total_s)
    stream = (
        limits.tls.wrap_socket(connection, server_hostname=address.host)
        if address.tls
        else connection
    )
    client = http.client.HTTPConnection(address.host, address.port)
    client.sock = stream
    with contextlib.closing(client):
        named = {"Host": address.authority, "Content-Type": "application/json", **headers}
        client.request(
            "POST",
            address.target,
            body,
            {**named, "User-Agent": "matteline", "Connection": "close"},
        )
        response = client.getresponse()
        return Answer(response.status, "" if response.status < _BAD else _excerpt(response))


def _excerpt(response: http.client.HTTPResponse) -> str:
    """Return the beginning of what a receiver says of its refusal; the status says enough."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        text = response.read(_READ_BYTES).decode(errors="replace")
        printable = "".join(each if each.isprintable() else " " for each in text)
        return " ".join(printable.split())[:_EXCERPT]
    return ""


def _said(error: BaseException) -> str:
    return str(error) or type(error).__name__
