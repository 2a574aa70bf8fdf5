"""A decorated API answers requests, says which version answers, and is observed as a task is."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path
from typing import Any, TextIO, cast

import pytest

from pipeline.http_handler import http_handler
from tests.pipeline.containers.greeter.calls import LAMBDA
from tests.pipeline.containers.greeter.handler import Doorbell, greet_over_http

REQUEST = {"rawPath": "/greetings/Ada"}


def logged(handler: Any, request: dict[str, Any]) -> list[dict[str, Any]]:
    log = io.StringIO()
    writer = logging.getLogger("greeter").handlers[0]
    cast("logging.StreamHandler[TextIO]", writer).setStream(log)
    handler(request, LAMBDA)
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_an_answer_says_which_version_gave_it() -> None:
    answer = http_handler(greet_over_http)(REQUEST, LAMBDA)

    assert answer == {
        "statusCode": 200,
        "headers": {"content-type": "text/plain", "matteline-version": "greeter/3.2.1"},
        "body": "/greetings/Ada",
    }


def test_an_api_is_built_once_from_root_and_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATTELINE_IMAGE_DIGEST", "sha256:abc")
    Doorbell.built.clear()
    handler = http_handler(greet_over_http)
    assert Doorbell.built == []

    for _ in range(2):
        handler(REQUEST, LAMBDA)

    ((root, settings),) = Doorbell.built
    assert root == Path(__file__).parent
    assert settings.image_digest == "sha256:abc"


def test_a_request_is_one_line_of_log_with_its_figures() -> None:
    (line,) = logged(http_handler(greet_over_http), REQUEST)

    assert (line["level"], line["message"], line["container"]) == ("INFO", "done", "greeter")
    assert line["function_request_id"] == "5ca1ab1e"
    assert set(line["metrics"]) == {"request_ms", "peak_rss_mb", "cold_start"}


def test_a_request_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    http_handler(greet_over_http)(REQUEST, LAMBDA)

    (metrics,) = (
        json.loads(each) for each in capsys.readouterr().out.splitlines() if "_aws" in each
    )
    assert metrics["service"] == "greeter"
    assert metrics["request_ms"][0] >= 0


def test_a_bug_of_the_api_is_the_functions_error() -> None:
    with pytest.raises(KeyError):
        http_handler(greet_over_http)({}, LAMBDA)
