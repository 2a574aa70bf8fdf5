"""Let runs use a local cloud: answer each with its models, and then with what becomes of its files.

A run that has left leaves nothing running, and in a shared cloud none of its files.
"""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import re
import select
import socket
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.contracts.cutout import shown_picture
from pipeline.declared.names import LOCAL_NAMES
from pipeline.operations.executions import Execution
from pipeline.outcomes import HANDED_OVER
from pipeline.session.agreement import difference
from pipeline.session.own_files import output_files
from pipeline.session.run_cleanup import remove_files, stop_executions
from pipeline.session.run_messages import (
    DISK_PATH,
    RUNS_PATH,
    Greeting,
    MediaEnded,
    RunModels,
    RunRequest,
)
from pipeline.session.subscriptions import News, Subscriptions, subscriptions_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from pipeline.local.cloud import LocalCloud

_LOG = logging.getLogger(__name__)
_MOST_BYTES: Final = 2**16  # of a request
_CHECK_S: Final = 0.2  # how often a run that has left is noticed
_UPLOAD_S: Final = 60.0
_SHOWN_FIRST: Final = ("text", "redacted", "preview", "faces")  # of files that are no cutouts
_UPLOAD: Final = re.compile(rf"/{LOCAL_NAMES.bucket('ingest')}/(run-[0-9a-f]{{8}}/)")

ModelsFor = Callable[[RunRequest], RunModels]


@contextlib.contextmanager
def serving_runs(
    cloud: LocalCloud, terms: Mapping[str, str], models_for: ModelsFor, *, shared: bool
) -> Iterator[Subscriptions]:
    """Answer runs at the cloud's addresses until the block ends.

    Provides subscriptions to its executions. `models_for` returns the models of a run. A `shared`
    cloud removes what the run left.
    """
    with subscriptions_of(cloud) as subscriptions:
        runs = _Runs(cloud, subscriptions, terms, models_for, shared=shared)
        with cloud.server.in_front(runs.before):
            try:
                yield subscriptions
            finally:
                runs.stopping.set()


class _Runs:
    """What answers runs: each has a thread of the server for as long as it lasts."""

    def __init__(
        self,
        cloud: LocalCloud,
        subscriptions: Subscriptions,
        terms: Mapping[str, str],
        models_for: ModelsFor,
        *,
        shared: bool,
    ) -> None:
        self._cloud = cloud
        self._subscriptions = subscriptions
        self._terms = terms
        self._models_for = models_for
        self._shared = shared
        self._lock = threading.Lock()  # only one thread fetches packages
        self._uploads = _Uploads()
        self.stopping = threading.Event()

    def before(self, app: WSGIApplication) -> WSGIApplication:
        """Return an application that answers runs, and passes on all other requests."""

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
                case "POST", path if path == RUNS_PATH:
                    try:
                        request = RunRequest.parse(environ["wsgi.input"].read(_length(environ)))
                    except (ValueError, TypeError, RecursionError):
                        start_response("400 Bad Request", [("Content-Length", "0")])
                        return []
                    start_response("200 OK", [("Content-Type", "application/x-ndjson")])
                    return self._answer(request, environ["werkzeug.socket"])
                case "PUT", path if found := _UPLOAD.match(path):
                    with self._uploads.one(found[1]) as accepted:
                        if accepted:
                            return app(environ, start_response)
                    start_response("403 Forbidden", [("Content-Length", "0")])
                    return []
                case "GET", path if path == DISK_PATH:
                    body = json.dumps(self._cloud.disk_full.is_set()).encode()
                    start_response("200 OK", [("Content-Length", str(len(body)))])
                    return [body]
                case _:
                    return app(environ, start_response)

        return answer

    def _answer(self, request: RunRequest, connection: socket.socket) -> Iterator[bytes]:
        prefix = f"run-{uuid.uuid4().hex[:8]}/"
        different = difference(request.terms, self._terms)
        cloud = self._cloud
        yield Greeting(cloud.endpoint, str(cloud.scratch), prefix, different).line
        if different:
            return
        with self._lock:
            chosen = self._models_for(request)
        yield chosen.line
        if chosen.models is None:
            return
        ended: set[str] = set()
        with self._subscriptions.of(prefix) as news:
            try:
                while not (self.stopping.is_set() or _has_left(connection)):
                    with contextlib.suppress(queue.Empty):
                        told = news.get(timeout=_CHECK_S)
                        if not isinstance(told, Execution):
                            yield told.line
                        elif told.verdict != HANDED_OVER:  # the other product's ends next
                            ended.add(told.key)
                            yield _told(told).line
            finally:
                self._clean_up(prefix, news, ended)

    def _clean_up(self, prefix: str, executions: News, ended: set[str]) -> None:
        if not self._shared or self.stopping.is_set():
            return
        try:
            self._uploads.refuse(prefix)
            stop_executions(self._cloud, prefix, executions, ended, stopping=self.stopping)
            remove_files(self._cloud, prefix)
        except (BotoCoreError, ClientError):
            if not self.stopping.is_set():
                _LOG.exception("files of a run that has ended were left under %s", prefix)


class _Uploads:
    """Uploads of runs. One may still arrive when its run has left, and would be left behind."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way: list[str] = []
        self._refused: set[str] = set()

    @contextlib.contextmanager
    def one(self, prefix: str) -> Iterator[bool]:
        """Provide False if the upload below this prefix must be refused."""
        with self._changed:
            accepted = prefix not in self._refused
            if accepted:
                self._under_way.append(prefix)
        try:
            yield accepted
        finally:
            if accepted:
                with self._changed:
                    self._under_way.remove(prefix)
                    self._changed.notify_all()

    def refuse(self, prefix: str) -> None:
        """Accept no more uploads below this prefix; wait for those that have begun."""
        with self._changed:
            self._refused.add(prefix)
            self._changed.wait_for(lambda: prefix not in self._under_way, _UPLOAD_S)


def shown_output(output: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the output file to show of an execution's output: a picture if there is one."""
    if "pictures" in output:
        return shown_picture(output["pictures"])
    files = {each["kind"]: each for each in output["files"]}
    kind = next(kind for kind in _SHOWN_FIRST if kind in files)
    return cast("Mapping[str, Any]", files[kind])


def _told(execution: Execution) -> MediaEnded:
    output = execution.output
    told = MediaEnded(
        execution.key,
        execution.verdict,
        execution.reason,
        task_ms=execution.task_ms,
        seconds=_seconds(execution),
    )
    if execution.status != "SUCCEEDED" or execution.verdict != "DONE":
        return told
    return replace(
        told,
        model=output["model"],
        files=(*(each["uri"] for each in output_files(output)), output["manifest"]),
        shown=shown_output(output)["uri"],
    )


def _seconds(execution: Execution) -> float:
    if execution.started is None or execution.ended is None:
        return 0
    return (execution.ended - execution.started).total_seconds()


def _length(environ: WSGIEnvironment) -> int:
    return max(0, min(int(environ.get("CONTENT_LENGTH") or 0), _MOST_BYTES))


def _has_left(connection: Any) -> bool:
    """Return True if the other side has closed the connection, on which it sends nothing more."""
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable) and not connection.recv(1, socket.MSG_PEEK)
