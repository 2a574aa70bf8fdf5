"""A call writes one line of log and one of metrics, however it ends."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO, cast

import pytest
from pydantic import ValidationError

from pipeline.errors import NoSubject, OutOfMemory, PipelineError
from pipeline.task import task
from tests.pipeline.containers.greeter.calls import EVENT, LAMBDA, call
from tests.pipeline.containers.greeter.handler import (
    Greet,
    Greeted,
    greet,
    overeat,
    refuse,
    stumble,
    wait,
)

pytestmark = pytest.mark.usefixtures("fresh_workbench")


def logged(run: Callable[..., Greeted], event: dict[str, Any] | None = None) -> list[Any]:
    """What one call writes to its log, however it ends."""
    handler = task(Greet)(run)
    log = io.StringIO()
    writer = logging.getLogger("greeter").handlers[0]
    cast("logging.StreamHandler[TextIO]", writer).setStream(log)
    with suppress(PipelineError, ValidationError, ZeroDivisionError):
        handler(event or EVENT, LAMBDA)
    return [json.loads(line) for line in log.getvalue().splitlines()]


def published(output: str, *, by: str = "service") -> dict[str, Any]:
    """The one line CloudWatch turns into metrics by a dimension; nothing if there is none."""
    lines = [json.loads(line) for line in output.splitlines() if "_aws" in line]
    mine = [line for line in lines if by in line]
    assert len(mine) <= 1
    return mine[0] if mine else {}


@pytest.mark.parametrize("run", [greet, refuse, overeat, stumble], ids=lambda run: run.__name__)
def test_one_line_says_where_and_for_whom(run: Callable[..., Greeted]) -> None:
    (line,) = logged(run)

    assert line["container"] == line["service"] == "greeter"
    assert line["version"] == "3.2.1"
    assert line["execution"] == "run-7"
    assert line["job_id"] == "0123"
    assert line["function_request_id"] == "5ca1ab1e"


@pytest.mark.parametrize(
    ("told", "trace"),
    [
        (
            {"execution": "arn:aws:states:eu-central-1:1:execution:matteline-dev-cutout:event-7"},
            "event-7",
        ),
        ({"execution": "event-7"}, "event-7"),
        ({"execution": "own-1", "trace_id": "event-7"}, "event-7"),
        ({}, None),
    ],
    ids=["arn", "name", "of-another", "none"],
)
def test_a_line_has_the_trace_id_of_the_upload(told: dict[str, str], trace: str | None) -> None:
    (line,) = logged(refuse, {"schema": 1, "name": "Ada", **told})

    assert line.get("trace_id") == trace


def test_success_is_logged_with_its_metrics() -> None:
    (line,) = logged(greet)

    assert (line["level"], line["message"]) == ("INFO", "done")
    assert line["metrics"]["letters"] == 3


def test_what_a_task_notes_is_logged_however_it_ends() -> None:
    (done,) = logged(greet)
    (refused,) = logged(refuse)

    assert (done["language"], "looked" in done) == ("English", False)
    assert (refused["looked"], "language" in refused) == ("everywhere", False)


def test_a_named_failure_is_a_warning_with_its_hint() -> None:
    (line,) = logged(refuse)

    assert (line["level"], line["message"]) == ("WARNING", "nobody is there")
    assert (line["error"], line["hint"]) == ("NoSubject", NoSubject.hint)
    assert "exception" not in line


def test_a_bug_is_an_error_with_its_trace() -> None:
    (line,) = logged(stumble)

    assert (line["level"], line["error"]) == ("ERROR", "ZeroDivisionError")
    assert "stumble" in line["exception"]


def test_a_refused_job_is_logged_with_its_trace() -> None:
    (line,) = logged(greet, {"schema": 1})

    assert (line["level"], line["error"]) == ("ERROR", "ValidationError")


def test_one_call_leaves_nothing_in_the_log_of_the_next() -> None:
    logged(greet)
    (line,) = logged(greet, {"schema": 1, "name": "Eve"})

    assert "execution" not in line
    assert "job_id" not in line


def test_metrics_are_published_with_their_units(capsys: pytest.CaptureFixture[str]) -> None:
    call(greet)
    metrics = published(capsys.readouterr().out)
    (directive,) = metrics["_aws"]["CloudWatchMetrics"]

    assert directive["Namespace"] == "Matteline"
    assert metrics["service"] == "greeter"
    assert {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]} == {
        "greet_ms": "Milliseconds",
        "task_ms": "Milliseconds",
        "peak_rss_mb": "Megabytes",
        "cold_start": "None",
        "letters": "None",
    }


@pytest.mark.parametrize(
    ("run", "error"), [(refuse, NoSubject), (overeat, OutOfMemory), (stumble, ZeroDivisionError)]
)
def test_failures_are_counted_by_name(
    capsys: pytest.CaptureFixture[str], run: Callable[..., Greeted], error: type[Exception]
) -> None:
    with pytest.raises(error):
        call(run)

    assert published(capsys.readouterr().out)[error.__name__] == [1.0]


@pytest.mark.parametrize(
    ("run", "refusals"),
    [(refuse, [1.0]), (wait, [1.0]), (overeat, None), (stumble, None), (greet, None)],
    ids=lambda case: getattr(case, "__name__", None),
)
def test_what_is_not_the_functions_fault_is_counted_for_its_canary(
    capsys: pytest.CaptureFixture[str], run: Callable[..., Greeted], refusals: list[float] | None
) -> None:
    logged(run)
    line = published(capsys.readouterr().out, by="function_name")

    assert line.get("refused") == refusals
    if refusals:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert (directive["Namespace"], directive["Dimensions"]) == (
            "Matteline",
            [["function_name"]],
        )
        assert line["function_name"] == "greeter"
