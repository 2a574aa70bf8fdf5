"""SnapStart: images need no label, and copies of a process share nothing that must differ."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any, Final, NamedTuple

import pytest

from infra.snapshots import CHECKED
from tests.conftest import ROOT

_PATIENCE_S: Final = 60
_EACH = pytest.mark.parametrize("container", CHECKED)
# What is in a process when the snapshot is taken: after its handler is imported, before a request.
_LOOK: Final = """
import gc, importlib, json, os, sys, threading
importlib.import_module(f"containers.{sys.argv[1]}.handler")
from botocore.client import BaseClient
descriptors = [f"/proc/self/fd/{each}" for each in os.listdir("/proc/self/fd")]
links = [os.readlink(each) for each in descriptors if os.path.lexists(each)]
from pipeline import task
print(json.dumps({
    "connections": [each for each in links if each.startswith("socket:")],
    "clients": [str(each) for each in gc.get_objects() if isinstance(each, BaseClient)],
    "threads": [each.name for each in threading.enumerate()],
    "tools": len(task._BENCHES),
    "names of files": "tempfile" in sys.modules and sys.modules["tempfile"]._name_sequence,
}))
"""
# Two copies of a process draw the same numbers, until each is restored.
_RESTORE: Final = """
import random, sys
import pipeline.serving
from awslambdaric import lambda_runtime_hooks_runner as hooks
pipeline.serving.runtime_client.main = lambda _: None
pipeline.serving.load_containers = lambda _: [type("Container", (), {"handler": "a.b"})]
random.seed(7)
pipeline.serving.main()
if sys.argv[1] == "restored":
    hooks.run_after_restore()
print(random.random())
"""


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


@_EACH
@pytest.mark.parametrize(
    ("started_as", "asked"),
    [
        ("snap-start", ["restore/next", "invocation/next"]),
        ("on-demand", ["invocation/next"]),
    ],
)
def test_a_function_waits_to_be_restored_before_it_takes_a_request(
    runtime_api: RuntimeApi, container: str, started_as: str, asked: list[str]
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "awslambdaric", f"containers.{_folder(container)}.handler.handler"],
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


@_EACH
def test_a_started_process_has_no_connection_client_or_thread_to_share(container: str) -> None:
    assert json.loads(_run(_LOOK, _folder(container))) == {
        "connections": [],
        "clients": [],
        "threads": ["MainThread"],
        "tools": 0,
        "names of files": None,
    }


@pytest.mark.parametrize(("moment", "different"), [("snapshot", 1), ("restored", 2)])
def test_restored_copies_draw_different_numbers(moment: str, different: int) -> None:
    assert len({_run(_RESTORE, moment) for _ in range(2)}) == different


def _run(program: str, argument: str) -> Any:
    """Return what a process prints, in a folder of the repository and without a socket of ours."""
    return subprocess.run(
        [sys.executable, "-c", program, argument],
        cwd=ROOT,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=_PATIENCE_S,
        check=True,
    ).stdout


def _folder(container: str) -> str:
    return container.replace("-", "_")
