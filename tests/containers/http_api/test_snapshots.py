"""SnapStart: the image's runtime client waits to be restored, so the image needs no label."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Final, NamedTuple

import pytest

from tests.conftest import ROOT

_PATIENCE_S: Final = 60


class RuntimeApi(NamedTuple):
    """An address of Lambda's Runtime API, and the paths that a function asks it for."""

    address: str
    asked: Queue[str]


@pytest.fixture
def runtime_api() -> Iterator[RuntimeApi]:
    asked: Queue[str] = Queue()

    class Conversation(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.put(self.path)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Conversation) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield RuntimeApi(f"127.0.0.1:{server.server_port}", asked)
        server.shutdown()


@pytest.mark.parametrize(
    ("started_as", "asked"),
    [
        ("snap-start", ["restore/next", "invocation/next"]),
        ("on-demand", ["invocation/next"]),
    ],
)
def test_a_function_waits_to_be_restored_before_it_takes_a_request(
    runtime_api: RuntimeApi, started_as: str, asked: list[str]
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "awslambdaric", "containers.http_api.handler.handler"],
        cwd=ROOT,
        env=os.environ
        | {
            "AWS_LAMBDA_RUNTIME_API": runtime_api.address,
            "AWS_LAMBDA_INITIALIZATION_TYPE": started_as,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        paths = [runtime_api.asked.get(timeout=_PATIENCE_S) for _ in asked]
    finally:
        process.kill()
        process.wait()

    assert paths == [f"/2018-06-01/runtime/{each}" for each in asked]
