"""Windows and parts run in jobs of AWS Batch: on request, and where a function is too small."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.local.cloud import local_cloud
from pipeline.local.deployment import NAMES
from pipeline.operations.executions import Execution
from tests.calm import wait_for_calm
from tests.conftest import ROOT
from tests.execution.driver import PATIENCE_S, Driver
from tests.execution.faults import Faults
from tests.hasty import hasty
from tests.models import Shelf
from tests.pictures import png, square
from tests.transcripts.stubs.functions import with_stubs
from tests.transcripts.stubs.script import ONCE, Script
from tests.transcripts.user import Recordings

SPEECH, DIARIZER, ALIGNER = "whisper-base", "pyannote-campplus", "wav2vec2-base-960h"
ALL: Final = {"diarize": "true", "align": ALIGNER}
ATTEMPTS: Final = 3  # of a job


@pytest.fixture(scope="module")
def driver(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """A cloud as that of the other tests here, with AWS Batch."""
    blueprint = Blueprint.read(ROOT, defaults=("brightness",), overlays=(shelf.catalogue,))
    faults = Faults()
    with local_cloud(
        hasty(blueprint.with_batch("cpu"), tmp_path_factory.mktemp("machines"), most_tries=1),
        weights_mirror=shelf.mirror,
        adjust=with_stubs,
        wrap=faults.wrap,
    ) as cloud:
        yield Driver(cloud, faults)


def jobs_of(driver: Driver, parent: str) -> list[dict[str, Any]]:
    """The executions of `run-on-batch` that an execution started, each with its input."""
    states = driver.cloud.client("stepfunctions")
    listed = states.list_executions(stateMachineArn=NAMES.machine_arn("run-on-batch"))
    told = [
        states.describe_execution(executionArn=each["executionArn"])
        for each in listed["executions"]
    ]
    return [
        {**each, "input": given}
        for each in told
        if (given := json.loads(each["input"]))["payload"]["execution"] == parent
    ]


def tasks_in_jobs(driver: Driver, done: Execution) -> list[str]:
    return sorted(job["input"]["task"] for job in jobs_of(driver, done.arn))


def test_every_window_and_part_is_a_job_where_that_is_asked_for(recordings: Recordings) -> None:
    done = recordings.drop(Script(windows=3), "batch/talk.mp3", compute="batch", **ALL)

    assert done.output["status"] == "DONE"
    jobs = tasks_in_jobs(recordings.driver, done)
    assert jobs == ["AlignWords"] * 3 + ["Diarize"] + ["Transcribe"] * 3
    in_functions = {"Transcribe", "Diarize", "AlignWords"}
    assert not in_functions & {*recordings.driver.states_of(done)}
    assert set(recordings.calls(done).values()) == {1}
    record = recordings.record("batch/talk.mp3")
    assert (record["model"], record["degraded"]) == (SPEECH, False)
    assert record["options"]["compute"] == "batch"


@pytest.mark.parametrize(
    ("where", "task"),
    [(f"{SPEECH}/1", "Transcribe"), (f"{DIARIZER}/0", "Diarize"), (f"{ALIGNER}/1", "AlignWords")],
)
def test_a_job_does_what_a_function_was_too_small_for(
    recordings: Recordings, where: str, task: str
) -> None:
    """The same model does it, so that is not degraded; what is there is not done again."""
    key = f"auto/{task}.mp3"
    script = Script(windows=3, fails={where: f"{ONCE}OutOfMemory"})

    done = recordings.drop(script, key, concurrency="1", **ALL)

    assert done.output["status"] == "DONE"
    assert {*tasks_in_jobs(recordings.driver, done)} == {task}
    pieces = {each: count for each, count in recordings.calls(done).items() if "/" in each}
    assert {each for each, count in pieces.items() if count > 1} == {where}
    assert recordings.record(key)["degraded"] is False


def test_a_lighter_model_comes_after_the_job(recordings: Recordings) -> None:
    script = Script(windows=1, fails={f"{SPEECH}/0": "OutOfMemory"})

    done = recordings.drop(script, "lighter.mp3", allow_fallback="true")

    assert (done.output["model"], done.output["degraded"]) == ("whisper-tiny", True)
    assert tasks_in_jobs(recordings.driver, done) == ["Transcribe"]
    assert recordings.calls(done)[f"{SPEECH}/0"] == 2


def test_without_the_option_nothing_follows_a_function(recordings: Recordings) -> None:
    script = Script(windows=1, fails={f"{SPEECH}/0": "OutOfMemory"})

    failed = recordings.drop(script, "function.mp3", compute="lambda")

    assert (failed.status, failed.error) == ("FAILED", "OutOfMemory")
    assert jobs_of(recordings.driver, failed.arn) == []


@pytest.mark.parametrize("where", [f"{SPEECH}/0", f"{DIARIZER}/0", f"{ALIGNER}/0"])
def test_a_permanent_error_of_a_job_is_quarantined_under_its_own_name(
    recordings: Recordings, where: str
) -> None:
    key = f"refused/{where.replace('/', '-')}.mp3"
    script = Script(windows=1, fails={where: "CorruptMedia"})

    refused = recordings.drop(script, key, compute="batch", **ALL)

    assert (refused.error, refused.verdict) == ("CorruptMedia", "QUARANTINED")
    assert recordings.driver.reason(refused)["message"] == f"{where} was told to fail"


def test_incomplete_weights_are_staged_again_for_a_job(recordings: Recordings) -> None:
    script = Script(windows=1, fails={f"{SPEECH}/0": f"{ONCE}WeightsNotStaged"})

    done = recordings.drop(script, "incomplete.mp3", compute="batch")

    assert done.output["status"] == "DONE"
    assert recordings.driver.states_of(done).count("StageAgain") == 1


@pytest.mark.parametrize(("error", "calls"), [("StoreUnavailable", ATTEMPTS), ("KeyUnusable", 1)])
def test_a_job_that_fails_leaves_an_execution_to_redrive(
    recordings: Recordings, error: str, calls: int
) -> None:
    """Uncaught, so that a redrive starts another job; and recorded from outside."""
    script = Script(windows=1, fails={f"{SPEECH}/0": error})

    failed = recordings.drop(script, f"red/{error}.mp3", compute="batch")

    assert (failed.status, failed.error) == ("FAILED", "States.TaskFailed")
    assert "RecordFailure" not in recordings.driver.states_of(failed)
    assert recordings.calls(failed)[f"{SPEECH}/0"] == calls
    (job,) = jobs_of(recordings.driver, failed.arn)
    assert job["error"] == ("Batch.JobFailed" if calls == ATTEMPTS else error)
    wait_for_calm(recordings.driver.cloud, patience_s=PATIENCE_S)
    (row,) = recordings.driver.records_of(f"red/{error}.mp3")
    assert (row["status"], row["error"]) == ("FAILED", "States.TaskFailed")


def test_who_stops_an_execution_stops_its_job(driver: Driver) -> None:
    bucket, key = NAMES.bucket("ingest"), "endless/cat.png"
    with driver.silence():
        driver.put(png(square()), key)
    options = {"model": "endless", "compute": "batch"}
    parent = driver.begin({"bucket": bucket, "key": key, "options": options})
    states, batch = (driver.cloud.client(each) for each in ("stepfunctions", "batch"))
    queue = NAMES.job_queue("cpu", "uploads")
    deadline = time.monotonic() + PATIENCE_S
    while not (running := batch.list_jobs(jobQueue=queue, jobStatus="RUNNING")["jobSummaryList"]):
        assert time.monotonic() < deadline, "no job runs"
        time.sleep(0.1)

    states.stop_execution(executionArn=parent, error="Stopped", cause="by a test")

    wait_for_calm(driver.cloud, patience_s=PATIENCE_S)
    (child,) = jobs_of(driver, parent)
    (job,) = batch.describe_jobs(jobs=[running[0]["jobId"]])["jobs"]
    assert (child["status"], job["status"]) == ("ABORTED", "FAILED")
    (row,) = driver.records_of(key)
    assert (row["status"], row["error"]) == ("FAILED", "ABORTED")
