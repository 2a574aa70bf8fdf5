"""The local cloud answers programs on this machine and its own page, and no other web page."""

from __future__ import annotations

import errno
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from pipeline.local.server import LocalServer


@pytest.fixture
def server() -> Iterator[LocalServer]:
    def answer(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    server = LocalServer(0)
    server.start(answer)
    yield server
    server.stop()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 200, id="a program"),
        pytest.param({"Host": "localhost:{port}"}, 200, id="by name"),
        pytest.param({"Host": "photos.localhost:{port}"}, 200, id="virtual host"),
        pytest.param({"Origin": "http://127.0.0.1:{port}"}, 200, id="its own page"),
        pytest.param({"Origin": "https://evil.example"}, 403, id="a web page"),
        pytest.param({"Origin": "null"}, 403, id="a local page"),
        pytest.param({"Origin": "http://127.0.0.1:1"}, 403, id="a page of another port"),
        pytest.param({"Origin": "http://localhost:{port}"}, 403, id="a page of another name"),
        pytest.param({"Origin": "https://127.0.0.1:{port}"}, 403, id="another scheme"),
        pytest.param(
            {"Host": "a.localhost:{port}", "Origin": "http://a.localhost:{port}"},
            403,
            id="a page of a virtual host",
        ),
        pytest.param(
            {"Host": "evil.example:{port}", "Origin": "http://evil.example:{port}"},
            403,
            id="a host name that was bound again",
        ),
        pytest.param(
            {"Host": "127.0.0.1:1", "Origin": "http://127.0.0.1:1"}, 403, id="a forwarded port"
        ),
        pytest.param({"Sec-Fetch-Site": "none"}, 200, id="typed as an address"),
        pytest.param({"Sec-Fetch-Site": "same-origin"}, 200, id="a picture on its own page"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, 403, id="a picture on a web page"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, 403, id="a picture on another port's page"),
        pytest.param(
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200, id="a link"
        ),
        pytest.param({"Host": "evil.example:{port}"}, 403, id="another host name"),
        pytest.param({"Host": "127.0.0.1.evil.example:{port}"}, 403, id="a similar name"),
    ],
)
def test_only_programs_and_its_own_page_are_answered(
    server: LocalServer, headers: dict[str, str], status: int
) -> None:
    given = {name: text.format(port=server.port) for name, text in headers.items()}

    answer = urllib3.request("GET", f"http://127.0.0.1:{server.port}/", headers=given)

    assert answer.status == status


@pytest.mark.parametrize("path", ["/?Action=ListQueues", "/api/jobs", "/photos/page.html"])
def test_a_web_page_may_link_to_nothing_else(server: LocalServer, path: str) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}

    answer = urllib3.request("GET", f"http://127.0.0.1:{server.port}{path}", headers=headers)

    assert answer.status == 403


def join_handlers() -> None:
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join()


def test_a_client_that_is_gone_is_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    asked, gone = threading.Event(), threading.Event()

    def answer(_environ: Any, start_response: Any) -> list[bytes]:
        asked.set()
        gone.wait()
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    server = LocalServer(0)
    server.start(answer)
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        asked.wait()
        # Closing resets the connection, as the end of a killed process does.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    gone.set()
    server.stop()
    join_handlers()

    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
    ],
)
def test_a_full_disk_is_noticed_without_a_traceback(
    error: OSError,
    full: bool,  # noqa: FBT001 - parametrised
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_environ: Any, _start_response: Any) -> list[bytes]:
        raise error

    server = LocalServer(0)
    server.start(fail)
    answer = urllib3.request(
        "GET",
        f"http://127.0.0.1:{server.port}/",
        headers={"Connection": "close"},
        retries=False,
    )
    server.stop()
    join_handlers()  # one may still be writing its log

    assert answer.status == 500
    assert server.disk_full.is_set() is full
    assert ("Traceback" in caplog.text) is not full
