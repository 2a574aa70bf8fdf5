"""Serve the Lambda Runtime API to one worker's runtime client."""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
import uuid
from concurrent.futures import Future
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, NamedTuple

API_VERSION: Final = "2018-06-01"


class Answer(NamedTuple):
    """A function's response: its payload, and whether the payload describes an error."""

    payload: bytes
    failed: bool


def error_answer(error_type: str, message: str) -> Answer:
    """Build the response that Lambda sends in place of a function that failed to respond."""
    body = {"errorType": error_type, "errorMessage": message}
    return Answer(json.dumps(body).encode(), failed=True)


@dataclass(frozen=True, eq=False)
class Invocation:
    """One call of a function, and its future answer."""

    payload: bytes
    function_arn: str
    timeout_s: float
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    answer: Future[Answer] = field(default_factory=Future)

    def headers(self) -> dict[str, str]:
        deadline = int((time.time() + self.timeout_s) * 1000)
        return {
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": self.function_arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}",
        }


class RuntimeApi(ThreadingHTTPServer):
    """An HTTP server on 127.0.0.1 for one worker. `ready` is set at its first request for work."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.ready = threading.Event()
        self.init_error: Answer | None = None
        self._waiting: queue.Queue[Invocation | None] = queue.Queue()
        self._running: dict[str, Invocation] = {}
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def submit(self, invocation: Invocation) -> None:
        self._running[invocation.request_id] = invocation
        self._waiting.put(invocation)

    def next_invocation(self) -> Invocation | None:
        """Wait for the next call and return it, or None when the worker must stop."""
        self.ready.set()
        return self._waiting.get()

    def settle(self, request_id: str, answer: Answer) -> bool:
        """Give a call its answer. Return False if the call is unknown or already answered."""
        invocation = self._running.pop(request_id, None)
        if invocation is None or invocation.answer.done():
            return False
        invocation.answer.set_result(answer)
        return True

    def fail_init(self, answer: Answer) -> None:
        self.init_error = answer
        self.ready.set()

    def close(self, answer: Answer) -> None:
        """Stop the server; running calls get `answer`."""
        for request_id in list(self._running):
            self.settle(request_id, answer)
        self._waiting.put(None)
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore lost connections: `Worker` reports when its process exits."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Both needed: otherwise each call waits twice, 40 ms each, for a delayed TCP acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: RuntimeApi

    def do_GET(self) -> None:
        invocation = self.server.next_invocation()
        if invocation is None:
            self._reply(410, b"{}", {})
        else:
            self._reply(200, invocation.payload, invocation.headers())

    def do_POST(self) -> None:
        body = self._body()
        parts = self.path.strip("/").split("/")
        if parts[2:] == ["init", "error"]:
            self.server.fail_init(Answer(body, failed=True))
            accepted = True
        else:
            request_id, kind = parts[3], parts[4]
            accepted = self.server.settle(request_id, Answer(body, failed=kind == "error"))
        self._reply(202 if accepted else 400, b'{"status": "OK"}', {})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log no requests: functions write their own logs."""
