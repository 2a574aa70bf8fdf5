"""Answer CloudWatch Logs' FilterLogEvents from what functions and jobs write, in place of moto's.

Each log group of the cloud is a file, of which only the latest lines are kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.local.runtime_api import Answer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

KEPT: Final = 4 * 1024 * 1024  # bytes of a function's log
_TARGET: Final = "Logs_20140328.FilterLogEvents"
_MOST_EVENTS: Final = 10_000  # in one answer, as CloudWatch Logs has it
_STREAM: Final = "local"
_TERM: Final = re.compile(r'\(?\s*\$\.(\w+)\s*=\s*"([^"]*)"\s*\)?')


class LogsApi:
    """WSGI middleware that searches these log groups' files and passes on other requests.

    It knows the patterns `{ ($.field = "text") || … }`, in which a text may begin or end with `*`.
    """

    def __init__(self, app: WSGIApplication, groups: Mapping[str, Path]) -> None:
        self._app = app
        self._groups = groups

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("HTTP_X_AMZ_TARGET") != _TARGET:
            return self._app(environ, start_response)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        answer = self._answer(json.loads(environ["wsgi.input"].read(length)))
        status = "400 Bad Request" if "__type" in answer else "200 OK"
        body = json.dumps(answer).encode()
        headers = [
            ("Content-Type", "application/x-amz-json-1.1"),
            ("Content-Length", str(len(body))),
        ]
        start_response(status, headers)
        return [body]

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        path = self._groups.get(str(asked.get("logGroupName", "")))
        if path is None:
            return {
                "__type": "ResourceNotFoundException",
                "message": "The specified log group does not exist.",
            }
        begin, end = asked.get("startTime", 0), asked.get("endTime")
        lines = _lines(path, asked.get("filterPattern", ""))
        events = [
            {
                "logStreamName": _STREAM,
                "timestamp": at,
                "message": line,
                "ingestionTime": at,
                "eventId": str(number),
            }
            for number, (at, line) in enumerate(lines)
            if at >= begin and (end is None or at <= end)
        ]
        first = int(asked.get("nextToken") or 0)
        most = min(_MOST_EVENTS, asked.get("limit") or _MOST_EVENTS)
        more = {"nextToken": str(first + most)} if first + most < len(events) else {}
        return {"events": events[first : first + most], "searchedLogStreams": [], **more}


class KeptLogs:
    """Keeps the log files of functions from growing: a listener of the Lambda host."""

    def __init__(self, folder: Path, *, kept: int = KEPT) -> None:
        self._folder = folder
        self._kept = kept

    def __call__(self, function: str, _payload: bytes, _answer: Answer) -> None:
        shorten(self._folder / log_name(function), self._kept)


def shorten(path: Path, kept: int = KEPT) -> None:
    """Cut off the beginning of a log file that is longer than twice `kept` bytes."""
    if path.stat().st_size > 2 * kept:
        cut(path, kept)


def log_name(function: str) -> str:
    """Return the name of a function's log file."""
    return f"{function}.log"


def cut(path: Path, kept: int) -> None:
    """Keep whole lines at the end of a file, at most `kept` bytes.

    Processes that append to the file go on doing so. What one writes meanwhile may be lost.
    """
    with path.open("r+b") as log:
        log.seek(-kept, 2)
        log.readline()  # it has lost its beginning
        tail = log.read()
        log.seek(0)
        log.write(tail)
        log.truncate()


def _lines(path: Path, pattern: str) -> Iterator[tuple[int, str]]:
    """Yield the time (ms since 1970) and the text of each JSON line that the pattern matches."""
    terms = _TERM.findall(pattern)
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as log:
        for line in log:
            text = line.rstrip("\n")
            if terms and not any(value.strip("*") in text for _, value in terms):
                continue
            said = _object(text)
            if said and (not terms or any(_is(said.get(name), value) for name, value in terms)):
                yield _ms(said), text


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) and "timestamp" in value else {}


def _is(value: object, wanted: str) -> bool:
    if not isinstance(value, str):
        return False
    if wanted.startswith("*"):
        return value.endswith(wanted[1:])
    return value.startswith(wanted[:-1]) if wanted.endswith("*") else value == wanted


def _ms(said: dict[str, Any]) -> int:
    try:
        return round(datetime.fromisoformat(said["timestamp"]).timestamp() * 1000)
    except (TypeError, ValueError):
        return 0
