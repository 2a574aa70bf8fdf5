"""Faults at the one door everything passes: a WSGI middleware in front of the local cloud."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

OUTAGE = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class Faults:
    """Answers 503 to, or runs something before, the requests that a test names."""

    def __init__(self) -> None:
        self._app: Any = None
        self._lock = threading.Lock()
        self._outages: list[list[Any]] = []
        self._surprises: list[tuple[re.Pattern[str], Callable[[], None]]] = []

    def wrap(self, app: Any) -> Any:
        self._app = app
        return self

    @contextmanager
    def outage(self, request: str, *, times: int = 10**9) -> Iterator[None]:
        """Answer 503 to the next `times` requests whose "METHOD path action" matches."""
        rule = [re.compile(request), times]
        self._outages.append(rule)
        try:
            yield
        finally:
            self._outages.remove(rule)

    def before(self, request: str, surprise: Callable[[], None]) -> None:
        """Run `surprise` once, just before the next request that matches."""
        self._surprises.append((re.compile(request), surprise))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = f"{environ['REQUEST_METHOD']} {unquote(environ['PATH_INFO'])}"
        request += f" {environ.get('HTTP_X_AMZ_TARGET', '')}"  # of the services that are no S3
        for surprise in self._due(request):
            surprise()
        if self._is_out(request):
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response("503 Slow Down", [("Content-Length", str(len(OUTAGE)))])
            return [OUTAGE]
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer

    def _due(self, request: str) -> list[Callable[[], None]]:
        with self._lock:
            due = [rule for rule in self._surprises if rule[0].search(request)]
            self._surprises = [rule for rule in self._surprises if rule not in due]
        return [surprise for _, surprise in due]

    def _is_out(self, request: str) -> bool:
        with self._lock:
            for rule in self._outages:
                if rule[0].search(request) and rule[1] > 0:
                    rule[1] -= 1
                    return True
        return False
