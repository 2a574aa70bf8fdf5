"""What a local cloud answers to runs, and that it keeps nothing of those that have left."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import Mock

import pytest

from pipeline.declared.names import LOCAL_NAMES
from pipeline.session import runs
from pipeline.session.run_messages import RUNS_PATH, Greeting, RunModels, RunRequest
from pipeline.session.subscriptions import Subscriptions

PATIENCE_S = 20


class Cloud:
    """A cloud that stores a photo only when it may; it notes when a run's files are removed."""

    def __init__(self) -> None:
        self.may_store, self.asked, self.removed = (threading.Event() for _ in range(3))
        cloud = Mock(endpoint="http://127.0.0.1:1", scratch="/scratch")
        cloud.blueprint.products = ()
        answering = runs._Runs(
            cloud, Subscriptions(cloud), {}, lambda _: RunModels(("net",)), shared=True
        )
        self._app = answering.before(self._store)

    def _store(self, _environ: Any, start_response: Any) -> Iterable[bytes]:
        self.asked.set()
        self.may_store.wait(PATIENCE_S)
        start_response("500 Late" if self.removed.is_set() else "200 OK", [])
        return []

    def ask(self, method: str, path: str, body: bytes = b"", **more: Any) -> tuple[str, Any]:
        statuses: list[str] = []
        environ = {
            "REQUEST_METHOD": method, "PATH_INFO": path, "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body), **more,
        }  # fmt: skip

        def start_response(status: str, *_: object) -> Any:
            statuses.append(status)

        answer = self._app(environ, start_response)
        return statuses[-1], answer


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    cloud = Cloud()
    monkeypatch.setattr(runs, "stop_executions", Mock())
    monkeypatch.setattr(runs, "remove_files", lambda *_: cloud.removed.set())
    yield cloud
    cloud.may_store.set()


def test_an_upload_that_outlives_its_run_is_removed_with_it_and_no_later_one_is_accepted(
    cloud: Cloud,
) -> None:
    ours, theirs = socket.socketpair()
    _, lines = cloud.ask(
        "POST", RUNS_PATH, RunRequest({}, None, ["cutout"]).line, **{"werkzeug.socket": theirs}
    )
    greeting, _ = Greeting.parse(next(lines)), next(lines)
    place = f"/{LOCAL_NAMES.bucket('ingest')}/{greeting.prefix}0/cat.png"
    with theirs, ThreadPoolExecutor() as threads:
        upload = threads.submit(cloud.ask, "PUT", place)
        assert cloud.asked.wait(PATIENCE_S)
        ours.close()
        end = threads.submit(list, lines)
        assert not cloud.removed.wait(0.5)
        cloud.may_store.set()
        assert end.result(PATIENCE_S) == []

    assert upload.result()[0] == "200 OK"
    assert cloud.removed.is_set()
    assert cloud.ask("PUT", place)[0] == "403 Forbidden"
    assert cloud.ask("PUT", place.replace(greeting.prefix, "run-00000000/"))[0] == "500 Late"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"[" * 50_000,
        b'{"terms": 5, "model": null, "products": []}',
        b'{"terms": {}, "model": {}, "products": []}',
        b'{"terms": {}, "model": null, "products": [], "more": 1}',
        b'{"terms": {}, "model": null}',
        b'{"terms": {}, "model": null, "products": "cutout"}',
        b'{"terms": {}, "model": null, "products": [1]}',
        b'{"terms": {}, "model": null, "products": [], "options": [{}]}',
        b'{"terms": {}, "model": null, "products": [], "named": [1]}',
        b'{"terms": {}, "model": null, "products": [], "named": "yamnet"}',
        b'{"terms": {"sources": "%s"}, "model": null, "products": []}' % (b"x" * 2**16),
    ],
)
def test_an_odd_request_is_refused(cloud: Cloud, body: bytes) -> None:
    assert cloud.ask("POST", RUNS_PATH, body)[0] == "400 Bad Request"


@pytest.mark.parametrize("length", ["-1", "many"])
def test_an_odd_length_is_refused(cloud: Cloud, length: str) -> None:
    body = json.dumps({"terms": {}, "model": None, "products": []}).encode()

    assert cloud.ask("POST", RUNS_PATH, body, CONTENT_LENGTH=length)[0] == "400 Bad Request"


def test_a_run_that_begins_while_another_one_leaves_is_told_of_its_photos() -> None:
    cloud = Mock()
    cloud.blueprint.products = ()
    subscriptions = Subscriptions(cloud)
    leaving, begun = threading.Event(), threading.Event()

    class Slow(tuple[Any, ...]):
        """Takes its time to be read once: until the other run has begun, if that is possible."""

        __slots__ = ()

        def __iter__(self) -> Iterator[Any]:
            if not leaving.is_set():
                leaving.set()
                begun.wait(0.5)
            return super().__iter__()

    with ThreadPoolExecutor() as threads, contextlib.ExitStack() as stack:
        first = subscriptions.of("first")
        first.__enter__()
        subscriptions._subscribed = Slow(subscriptions._subscribed)
        left = threads.submit(first.__exit__, None, None, None)
        assert leaving.wait(PATIENCE_S)
        stack.enter_context(subscriptions.of("second"))
        begun.set()
        left.result(PATIENCE_S)
        assert [prefix for prefix, _ in subscriptions._subscribed] == ["second"]


@pytest.mark.parametrize(
    ("kinds", "shown"),
    [
        (("transcript", "srt", "text"), "text"),
        (("faces",), "faces"),
        (("faces", "preview"), "preview"),
        (("embedded", "embeddings", "faces", "preview", "redacted"), "redacted"),
    ],
)
def test_a_picture_is_shown_rather_than_data(kinds: tuple[str, ...], shown: str) -> None:
    assert runs.shown_output({"files": [{"kind": kind} for kind in kinds]}) == {"kind": shown}
