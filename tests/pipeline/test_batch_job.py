"""A job of AWS Batch leaves the outcome that a state machine reads, or none and is tried again."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO, cast

import pytest

from pipeline.artifacts import Artifact, LocalStore, Location
from pipeline.batch_job import JobContext, run
from pipeline.declared.containers import load_containers
from pipeline.errors import (
    NoSubject,
    OutOfMemory,
    PipelineError,
    StoreUnavailable,
    WeightsClaimed,
    WeightsMismatch,
    WeightsNotStaged,
)
from pipeline.task import task
from pipeline.workbench import TaskContext
from tests.conftest import ROOT
from tests.pipeline.containers.greeter.calls import EVENT
from tests.pipeline.containers.greeter.handler import (
    Greet,
    Greeted,
    fail,
    greet,
    hurry,
    overeat,
    refuse,
    stumble,
    wait,
)
from tests.pipeline.test_task_log import published

pytestmark = pytest.mark.usefixtures("fresh_workbench")
JOB, OUTCOME = "s3://jobs/j/batch/e/job.json", "s3://jobs/j/batch/e/outcome.json"
Run = Callable[[Greet, TaskContext], Greeted]


def context(*, timeout_s: float = 3600) -> JobContext:
    return JobContext("greeter-ada", 16_384, timeout_s, aws_request_id="job-1")


def perform(run_task: Run, store: LocalStore, event: dict[str, Any] = EVENT) -> None:
    store.write(Location.parse(JOB), json.dumps(event).encode(), media_type="application/json")
    run(task(Greet)(run_task), store, JOB, OUTCOME, context())


def outcome(store: LocalStore) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(store.read(Location.parse(OUTCOME)))
    return told


def left_none(store: LocalStore) -> bool:
    return not (store.root / "jobs/j/batch/e/outcome.json").exists()


def test_the_outcome_has_what_lambda_would_return(folder: LocalStore) -> None:
    perform(greet, folder)

    told = outcome(folder)
    assert (told["error"], told["cause"]) == (None, None)
    assert told["result"]["text"] == "Hello Ada"
    assert told["result"]["provenance"]["container"] == "greeter"


@pytest.mark.parametrize("error", [NoSubject, OutOfMemory, WeightsNotStaged, WeightsMismatch])
def test_an_error_that_would_come_again_is_told_as_lambda_words_it(
    folder: LocalStore, error: type[PipelineError]
) -> None:
    perform(fail, folder, EVENT | {"name": error.__name__})

    told = outcome(folder)
    assert (told["result"], told["error"]) == (None, error.__name__)
    assert json.loads(told["cause"]) == {
        "errorType": error.__name__,
        "errorMessage": str(error("for a test")),
    }


def test_running_out_of_memory_is_told_by_its_name(folder: LocalStore) -> None:
    perform(overeat, folder)

    assert outcome(folder)["error"] == "OutOfMemory"


@pytest.mark.parametrize(
    ("run_task", "error"), [(stumble, ZeroDivisionError), (wait, WeightsClaimed)]
)
def test_any_other_error_leaves_no_outcome(
    folder: LocalStore, run_task: Run, error: type[Exception]
) -> None:
    with pytest.raises(error):
        perform(run_task, folder)

    assert left_none(folder)


def test_a_job_that_breaks_its_contract_leaves_no_outcome(folder: LocalStore) -> None:
    with pytest.raises(ValueError, match="validation error"):
        perform(greet, folder, {"schema": 1})

    assert left_none(folder)


class _ReadsOnly(LocalStore):
    def write(self, location: Location, content: bytes, *, media_type: str) -> Artifact:
        if location.uri == OUTCOME:
            raise StoreUnavailable("the store is away")
        return super().write(location, content, media_type=media_type)


@pytest.mark.parametrize("run_task", [greet, refuse], ids=lambda each: each.__name__)
def test_a_job_whose_outcome_cannot_be_stored_is_tried_again(tmp_path: Path, run_task: Run) -> None:
    store = _ReadsOnly(tmp_path)

    with pytest.raises(StoreUnavailable):
        perform(run_task, store)

    assert left_none(store)


def test_a_job_that_cannot_be_read_leaves_no_outcome(folder: LocalStore) -> None:
    with pytest.raises(KeyError):
        run(task(Greet)(greet), folder, JOB, OUTCOME, context())

    assert left_none(folder)


def test_a_task_has_the_time_of_its_job(folder: LocalStore) -> None:
    before = time.monotonic()

    perform(hurry, folder)

    left_s = outcome(folder)["result"]["metrics"]["ends_at"] - before
    assert left_s == pytest.approx(3600, abs=2)


def test_the_log_names_the_job_and_its_execution(folder: LocalStore) -> None:
    handler = task(Greet)(refuse)
    log = io.StringIO()
    writer = logging.getLogger("greeter").handlers[0]
    cast("logging.StreamHandler[TextIO]", writer).setStream(log)
    folder.write(Location.parse(JOB), json.dumps(EVENT).encode(), media_type="application/json")

    with suppress(PipelineError):
        run(handler, folder, JOB, OUTCOME, context())

    (line,) = (json.loads(text) for text in log.getvalue().splitlines())
    assert (line["level"], line["error"], line["execution"]) == ("WARNING", "NoSubject", "run-7")
    assert (line["function_name"], line["function_memory_size"]) == ("greeter-ada", 16_384)
    assert line["function_request_id"] == "job-1"


def test_the_metrics_are_those_of_the_function(
    folder: LocalStore, capsys: pytest.CaptureFixture[str]
) -> None:
    perform(greet, folder)

    metrics = published(capsys.readouterr().out)
    assert metrics["service"] == "greeter"
    assert {"task_ms", "peak_rss_mb", "letters"} <= metrics.keys()


def test_a_failure_is_counted_by_its_name(
    folder: LocalStore, capsys: pytest.CaptureFixture[str]
) -> None:
    perform(refuse, folder)

    assert published(capsys.readouterr().out)["NoSubject"] == [1.0]


def test_the_context_has_the_limits_of_the_job_definition() -> None:
    (container,) = (each for each in load_containers(ROOT) if each.name == "background-remover")
    assert container.batch

    made = JobContext.of(
        container,
        {
            "AWS_LAMBDA_FUNCTION_NAME": "matteline-dev-background-remover-u2net",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "16384",
            "AWS_BATCH_JOB_ID": "1f2e",
        },
    )

    assert made.function_name == "matteline-dev-background-remover-u2net"
    assert (made.memory_limit_in_mb, made.aws_request_id) == (16_384, "1f2e")
    left_s = made.get_remaining_time_in_millis() / 1000
    assert container.batch.timeout_s - 1 < left_s <= container.batch.timeout_s


def test_no_time_is_left_after_the_timeout() -> None:
    assert context(timeout_s=-1).get_remaining_time_in_millis() == 0
