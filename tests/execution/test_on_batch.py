"""Photos whose model runs in a job of AWS Batch: the ways they end, and what is left behind."""

from __future__ import annotations

import functools
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.declared.declaration import MOST_MEMORY_MB
from pipeline.local.cloud import local_cloud
from pipeline.local.deployment import NAMES
from pipeline.local.worker import Function
from pipeline.operations.executions import Execution
from tests.conftest import ROOT
from tests.execution.driver import PATIENCE_S, Driver
from tests.execution.faults import Faults
from tests.hasty import hasty
from tests.models import Shelf
from tests.pictures import png, square

REMOVER = f"{NAMES.prefix}-background-remover"
UPLOADS, BACKFILL = (f"{NAMES.prefix}-cpu-{lane}" for lane in ("uploads", "backfill"))
BLACK = png(square() * 0)


def _adjusted(function: Function) -> Function:
    """Spoil functions or jobs, which have more memory than any function."""
    is_job = function.memory_mb > MOST_MEMORY_MB
    model = function.name.removeprefix(f"{REMOVER}-")
    match model, is_job:
        case (("matting" | "hungry-with-fallback"), False):
            return replace(function, handler="tests.execution.handlers.too_small")
        case "endless", _:
            return replace(function, timeout_s=2)
        case "vanishing", True:
            return replace(function, memory_mb=20)
    return function


@pytest.fixture(scope="module")
def driver(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """A cloud with AWS Batch, whose default model stands for any that needs it."""
    blueprint = Blueprint.read(ROOT, defaults=("brightness",), overlays=(shelf.catalogue,))
    machines = hasty(blueprint.with_batch("cpu"), tmp_path_factory.mktemp("machines"))
    faults = Faults()
    with local_cloud(
        machines, weights_mirror=shelf.mirror, adjust=_adjusted, wrap=faults.wrap
    ) as cloud:
        yield Driver(cloud, faults)


def drop(driver: Driver, key: str, model: str = "brightness", **options: str) -> Execution:
    return driver.drop(png(square()), key, model=model, **{"compute": "batch", **options})


def jobs_of(driver: Driver, key: str) -> list[dict[str, Any]]:
    """The jobs of AWS Batch that an object's execution started, the first one first."""
    batch, s3 = driver.cloud.client("batch"), driver.cloud.client("s3")
    found = []
    for queue in (UPLOADS, BACKFILL):
        for status in ("RUNNABLE", "RUNNING", "SUCCEEDED", "FAILED"):
            listed = batch.list_jobs(jobQueue=queue, jobStatus=status)["jobSummaryList"]
            found += [each["jobId"] for each in listed]
    described = batch.describe_jobs(jobs=found)["jobs"] if found else []
    mine = []
    for job in described:
        bucket, _, name = job["parameters"]["job"].removeprefix("s3://").partition("/")
        payload = json.load(s3.get_object(Bucket=bucket, Key=name)["Body"])
        if payload.get("source", {}).get("key") == key:
            mine.append(job)
    return sorted(mine, key=lambda job: int(job["createdAt"]))


def wait_until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def begin_slow(driver: Driver, key: str) -> dict[str, Any]:
    """Drop a photo whose job takes long; return the job once it runs."""
    driver.put(png(square()), key, model="slow", compute="batch")
    wait_until(lambda: [job for job in jobs_of(driver, key) if job["status"] == "RUNNING"])
    (job,) = jobs_of(driver, key)
    return job


def _logged(driver: Driver, arn: str) -> list[dict[str, Any]]:
    """What jobs logged of an execution, as CloudWatch Logs has it."""
    found = driver.cloud.client("logs").filter_log_events(
        logGroupName=NAMES.job_log_group("background-remover"),
        filterPattern=f'{{ $.execution = "{arn}" }}',
    )
    return [json.loads(each["message"]) for each in found["events"]]


def test_a_model_in_a_job_makes_the_same_cutout_as_in_a_function(driver: Driver) -> None:
    on_lambda = drop(driver, "same/lambda.png", compute="lambda")

    on_batch = drop(driver, "same/batch.png")

    assert on_batch.status == "SUCCEEDED", on_batch.reason
    assert "RemoveBackground" not in driver.states_of(on_batch)
    (picture,), (other,) = on_batch.output["pictures"], on_lambda.output["pictures"]
    assert driver.read(picture["uri"]) == driver.read(other["uri"])
    (job,) = jobs_of(driver, "same/batch.png")
    assert (job["status"], job["jobQueue"].rpartition("/")[2]) == ("SUCCEEDED", UPLOADS)
    assert jobs_of(driver, "same/lambda.png") == []


def test_a_job_has_the_log_of_its_container(driver: Driver) -> None:
    execution = drop(driver, "logged/cat.png")

    (line,) = _logged(driver, execution.arn)
    assert (line["message"], line["container"]) == ("done", "background-remover")
    assert line["function_name"] == f"{REMOVER}-brightness"


def test_a_hopeless_photo_is_quarantined_with_its_reason(driver: Driver) -> None:
    key = "hopeless/black.png"

    execution = driver.drop(BLACK, key, model="brightness", compute="batch")

    assert (execution.status, execution.error) == ("FAILED", "NoSubject")
    assert driver.reason(execution)["error"] == "NoSubject"
    assert driver.records_of(key)[0]["status"] == "QUARANTINED"
    (job,) = jobs_of(driver, key)
    assert (job["status"], len(job["attempts"])) == ("SUCCEEDED", 1)


def test_a_job_takes_over_from_a_function_that_is_too_small(driver: Driver) -> None:
    execution = drop(driver, "auto/cat.png", model="matting", compute="auto")

    assert execution.status == "SUCCEEDED", execution.reason
    assert driver.task_errors(execution) == ["OutOfMemory"]
    assert (execution.output["model"], execution.output["degraded"]) == ("matting", False)
    (job,) = jobs_of(driver, "auto/cat.png")
    assert job["status"] == "SUCCEEDED"


def test_compute_lambda_has_no_job(driver: Driver) -> None:
    execution = drop(driver, "lambda/cat.png", model="matting", compute="lambda")

    assert (execution.status, execution.error) == ("FAILED", "OutOfMemory")
    assert jobs_of(driver, "lambda/cat.png") == []


def test_a_lighter_model_comes_after_the_job_where_it_is_allowed(driver: Driver) -> None:
    """The function has too little memory, and so has the job, which says so by name."""
    key, model = "lighter/cat.png", "hungry-with-fallback"

    execution = drop(driver, key, model, compute="auto", allow_fallback="true")

    assert execution.status == "SUCCEEDED", execution.reason
    assert (execution.output["model"], execution.output["degraded"]) == ("brightness", True)
    (job,) = jobs_of(driver, key)
    assert (job["status"], job["jobDefinition"].rpartition("/")[2]) == (
        "SUCCEEDED",
        f"{REMOVER}-{model}:1",
    )


def test_a_job_killed_for_its_memory_is_out_of_memory(driver: Driver) -> None:
    key = "killed/memory.png"

    execution = drop(driver, key, model="vanishing")

    assert (execution.status, execution.error) == ("FAILED", "OutOfMemory")
    assert driver.records_of(key)[0]["error"] == "OutOfMemory"
    (job,) = jobs_of(driver, key)
    assert (job["status"], job["container"]["exitCode"]) == ("FAILED", 137)
    assert job["container"]["reason"].startswith("OutOfMemoryError: ")
    assert len(job["attempts"]) == 1


def test_a_job_that_takes_too_long_is_a_timeout(driver: Driver) -> None:
    key = "killed/time.png"

    execution = drop(driver, key, model="endless")

    assert (execution.status, execution.error) == ("FAILED", "States.Timeout")
    assert driver.records_of(key)[0]["error"] == "States.Timeout"
    (job,) = jobs_of(driver, key)
    assert job["statusReason"] == "Job attempt duration exceeded timeout"


def test_a_killed_job_fails_its_photo_and_no_other(driver: Driver) -> None:
    key = "killed/cat.png"
    begin_slow(driver, key)
    (pid,) = driver.cloud.jobs.pids()

    os.killpg(pid, signal.SIGKILL)
    (execution,) = driver.wait_for([key])
    following = drop(driver, "killed/next.png")

    assert (execution.status, execution.error) == ("FAILED", "States.TaskFailed")
    driver.recording_of(execution)
    assert driver.records_of(key)[0]["status"] == "FAILED"
    (job,) = jobs_of(driver, key)
    assert [each["container"]["exitCode"] for each in job["attempts"]] == [137]
    assert following.status == "SUCCEEDED", following.reason


def test_a_bug_is_tried_three_times_and_leaves_no_outcome(driver: Driver) -> None:
    arn = driver.begin(
        {
            "function": "background-remover-brightness",
            "queue": f"{NAMES.prefix}-cpu-{{}}",
            "lane": "uploads",
            "task": "RemoveBackground",
            "execution": "an execution",
            "work_prefix": "bug",
            "payload": {"schema": 1},
        },
        machine="run-on-batch",
    )
    driver.wait_until_ended(arn)

    told = driver.cloud.client("stepfunctions").describe_execution(executionArn=arn)
    assert (told["status"], told["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(told["cause"])
    assert [each["Container"]["ExitCode"] for each in cause["Attempts"]] == [1, 1, 1]
    assert cause["StatusReason"] == "Essential container in task exited"
    assert [key.rpartition("/")[2] for key in driver.keys("work", prefix="bug/")] == ["job.json"]


def test_a_job_ends_when_its_execution_is_stopped(driver: Driver) -> None:
    key = "stopped/cat.png"
    begin_slow(driver, key)
    (pid,) = driver.cloud.jobs.pids()

    driver.cloud.client("stepfunctions").stop_execution(executionArn=driver.running())
    (execution,) = driver.wait_for([key])

    assert execution.status == "ABORTED"
    wait_until(lambda: jobs_of(driver, key)[0]["status"] == "FAILED")
    (job,) = jobs_of(driver, key)
    assert job["isTerminated"]
    assert job["statusReason"] == "the state machine waits for this job no longer"
    wait_until(lambda: not Path(f"/proc/{pid}").exists())
    states = driver.cloud.client("stepfunctions")
    nested = states.list_executions(stateMachineArn=NAMES.machine_arn("run-on-batch"))
    assert {each["status"] for each in nested["executions"]} >= {"ABORTED"}


def test_a_job_of_a_backfill_waits_for_those_of_uploads(driver: Driver) -> None:
    blocking = begin_slow(driver, "lanes/blocking.png")
    bucket = NAMES.bucket("ingest")
    with driver.silence():
        driver.put(png(square()), "lanes/old.png", model="brightness", compute="batch")
    driver.begin({"bucket": bucket, "key": "lanes/old.png", "lane": "backfill"})
    queued = functools.partial(jobs_of, driver, "lanes/old.png")
    wait_until(queued)
    driver.put(png(square()), "lanes/new.png", model="brightness", compute="batch")
    wait_until(lambda: jobs_of(driver, "lanes/new.png"))
    assert [job["status"] for job in queued()] == ["RUNNABLE"]

    driver.cloud.client("batch").terminate_job(jobId=blocking["jobId"], reason="enough")
    old, new = driver.wait_for(["lanes/old.png", "lanes/new.png"])

    assert (old.status, new.status) == ("SUCCEEDED", "SUCCEEDED")
    (backfill,), (upload,) = queued(), jobs_of(driver, "lanes/new.png")
    assert backfill["jobQueue"].rpartition("/")[2] == BACKFILL
    assert backfill["createdAt"] < upload["createdAt"]
    assert upload["startedAt"] < backfill["startedAt"]
