"""Amazon Bedrock as tests need it: a client of nobody, and a server that hosts one model."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import numpy as np
from PIL import Image

from tests.pictures import Pixels, png


def make_client(**more: Any) -> Any:
    """A client of the real service model, with credentials that are nobody's."""
    return boto3.Session("x", "x", region_name="us-east-1").client("bedrock-runtime", **more)


def as_answer(alpha: Pixels) -> str:
    """The picture a model answers with: black, of that alpha, as base64 text."""
    return base64.b64encode(png(np.dstack([np.zeros((*alpha.shape, 3), np.uint8), alpha]))).decode()


class HostedModel:
    """Cuts out what is bright, unless `errors` has (status, code) for the next requests."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.errors: deque[tuple[int, str]] = deque()

    def answer(self, request: dict[str, str]) -> tuple[int, str | None, dict[str, Any]]:
        """Status, error code and JSON body for one request."""
        if self.errors:
            status, code = self.errors.popleft()
            return status, code, {"message": "because"}
        with Image.open(io.BytesIO(base64.b64decode(request["image"]))) as picture:
            alpha = np.asarray(picture.convert("L"))
        bright = ((alpha > 127) * 255).astype(np.uint8)
        return 200, None, {"images": [as_answer(bright)], "finish_reasons": [None], "seeds": [0]}


@contextmanager
def hosted_model() -> Iterator[HostedModel]:
    """A model behind a port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            status, code, body = model.answer(json.loads(content))
            answer = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            if code:
                self.send_header("x-amzn-ErrorType", code)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing: a test tells what went wrong."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        model = HostedModel(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield model
        finally:
            server.shutdown()
