"""Faults at the one door everything passes: a WSGI middleware in front of the local cloud."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from pipeline.local.deployment import NAMES

WEIGHTS_ARE_LISTED: Final = rf"GET /{NAMES.bucket('models')}"  # the job is claimed by then


class Answer(NamedTuple):
    """An error of S3."""

    status: str
    code: str
    message: str

    @property
    def body(self) -> bytes:
        said = f"<Code>{self.code}</Code><Message>{self.message}</Message>"
        return f"<Error>{said}</Error>".encode()


OUTAGE: Final = Answer("503 Slow Down", "SlowDown", "Please reduce your request rate.")


@dataclass
class _Rule:
    request: re.Pattern[str]
    answer: Answer
    times: int


class Faults:
    """Answers an error to, or runs something before, the requests that a test names."""

    def __init__(self) -> None:
        self._app: Any = None
        self._lock = threading.Lock()
        self._outages: list[_Rule] = []
        self._surprises: list[tuple[re.Pattern[str], Callable[[], None]]] = []

    def wrap(self, app: Any) -> Any:
        self._app = app
        return self

    @contextmanager
    def outage(
        self, request: str, *, times: int = 10**9, answer: Answer = OUTAGE
    ) -> Iterator[None]:
        """Answer an error to the next `times` requests whose "METHOD path action" matches."""
        rule = _Rule(re.compile(request), answer, times)
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
        fault = self._fault(request)
        if fault:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            body = b"" if environ["REQUEST_METHOD"] == "HEAD" else fault.body
            start_response(fault.status, [("Content-Length", str(len(body)))])
            return [body]
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer

    def _due(self, request: str) -> list[Callable[[], None]]:
        with self._lock:
            due = [rule for rule in self._surprises if rule[0].search(request)]
            self._surprises = [rule for rule in self._surprises if rule not in due]
        return [surprise for _, surprise in due]

    def _fault(self, request: str) -> Answer | None:
        with self._lock:
            for rule in self._outages:
                if rule.request.search(request) and rule.times > 0:
                    rule.times -= 1
                    return rule.answer
        return None
