"""What only packages have is fetched before it is staged, and nothing else is."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import Mock

import pytest

from pipeline.declared.catalogue import load_catalogue
from pipeline.declared.names import LOCAL_NAMES
from pipeline.errors import WeightsUnavailable
from pipeline.session.staging_watch import fetching_packages
from tests.conftest import ROOT

STAGE = LOCAL_NAMES.machine_arn("stage-weights")
App = Callable[[Any, Any], Iterable[bytes]]


class Server:
    """Has one application, which returns what it was asked."""

    app: App = staticmethod(lambda environ, _: [environ["wsgi.input"].read()])

    @contextmanager
    def in_front(self, wrap: Callable[[App], App]) -> Iterator[None]:
        self.app = wrap(self.app)
        yield


def answer(content: bytes, *, fails: bool = False, target: str = "StartExecution") -> list[str]:
    """Return the models that are looked for; the request must arrive as it was sent."""
    looked_for: list[str] = []

    def origin(row: Any) -> str:
        looked_for.append(row.name)
        if fails:
            raise WeightsUnavailable("no source")
        return "from a package"

    cloud = Mock(server=Server())
    cloud.blueprint.catalogue = load_catalogue(ROOT)
    environ = {
        "HTTP_X_AMZ_TARGET": f"AWSStepFunctions.{target}",
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.input": io.BytesIO(content),
    }
    with fetching_packages(cloud, Mock(origin=origin)):
        assert b"".join(cloud.server.app(environ, None)) == content
    return looked_for


def started(machine: str, **asked: object) -> bytes:
    return json.dumps({"stateMachineArn": machine, "input": json.dumps(asked)}).encode()


@pytest.mark.parametrize("fails", [False, True])
def test_models_that_are_about_to_be_staged_are_fetched(fails: bool) -> None:  # noqa: FBT001
    content = started(STAGE, models=["whisper-base", "nobody's", "silero-vad"])

    assert answer(content, fails=fails) == ["whisper-base", "silero-vad"]


@pytest.mark.parametrize(
    "content",
    [
        started(LOCAL_NAMES.machine_arn("cutout"), models=["whisper-base"]),
        started(STAGE),
        started(STAGE, models=5),
        b"{}",
        b"[]",
        b"",
        b"\xff",
    ],
)
def test_other_executions_fetch_nothing(content: bytes) -> None:
    assert answer(content) == []


def test_other_requests_are_not_read() -> None:
    assert answer(started(STAGE, models=["whisper-base"]), target="DescribeExecution") == []
