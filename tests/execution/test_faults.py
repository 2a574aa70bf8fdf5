"""What is not the photo's fault: outages, bugs, too little memory, killed and slow workers."""

from __future__ import annotations

import json
import os
import signal
import time

from pipeline.local.deployment import NAMES
from tests.execution.driver import Driver
from tests.pictures import png, square

REMOVER = f"{NAMES.prefix}-background-remover"


def test_an_outage_that_ends_is_retried_and_forgotten(driver: Driver) -> None:
    with driver.faults.outage(rf"GET /{NAMES.bucket('work')}/.*/mask.png", times=3):
        execution = driver.drop(png(square()), "outage/short.png")

    assert execution.status == "SUCCEEDED", execution.reason
    assert driver.task_errors(execution) == ["StoreUnavailable"]
    assert driver.records_of("outage/short.png")[0]["status"] == "DONE"


def test_an_outage_that_lasts_leaves_the_state_red_for_redrive(driver: Driver) -> None:
    with driver.faults.outage(rf"PUT /{NAMES.bucket('work')}/.*/mask.png"):
        execution = driver.drop(png(square()), "outage/long.png")

    assert (execution.status, execution.error) == ("FAILED", "StoreUnavailable")
    assert driver.task_errors(execution) == ["StoreUnavailable"] * 7
    assert driver.states_of(execution)[-1] == "RemoveBackground"
    assert driver.keys("output", prefix="outage/long") == []
    driver.recording_of(execution)
    (record,) = driver.records_of("outage/long.png")
    assert (record["status"], record["error"]) == ("FAILED", "StoreUnavailable")
    name = execution.arn.rpartition(":")[2]
    assert driver.keys("quarantine", prefix=name) == []


def test_a_bug_keeps_its_own_name_and_is_never_quarantined(driver: Driver) -> None:
    execution = driver.drop(png(square()), "bug/cat.png", model="buggy")

    assert (execution.status, execution.error) == ("FAILED", "ZeroDivisionError")
    assert driver.task_errors(execution) == ["ZeroDivisionError"]
    assert driver.states_of(execution)[-1] == "RemoveBackground"
    name = execution.arn.rpartition(":")[2]
    assert driver.keys("quarantine", prefix=name) == []


def test_running_out_of_memory_is_recorded_as_a_failure_of_that_size(driver: Driver) -> None:
    execution = driver.drop(png(square()), "memory/cat.png", model="hungry")

    assert (execution.status, execution.error) == ("FAILED", "OutOfMemory")
    assert driver.task_errors(execution) == ["OutOfMemory"]
    (record,) = driver.records_of("memory/cat.png")
    assert (record["status"], record["error"]) == ("FAILED", "OutOfMemory")
    assert json.loads(record["reason"])["errorType"] == "OutOfMemory"
    assert driver.keys("output", prefix="memory/") == []


def test_a_failed_job_may_be_claimed_again(driver: Driver) -> None:
    driver.drop(png(square()), "again/cat.png", model="hungry")

    second = driver.drop(png(square()), "again/cat.png", model="hungry")

    assert second.error == "OutOfMemory"


def test_a_fallback_is_used_only_when_it_is_allowed_and_never_in_silence(driver: Driver) -> None:
    refused = driver.drop(png(square()), "fallback/no.png", model="hungry-with-fallback")

    allowed = driver.drop(
        png(square()), "fallback/yes.png", model="hungry-with-fallback", allow_fallback="true"
    )

    assert refused.error == "OutOfMemory"
    assert allowed.status == "SUCCEEDED", allowed.reason
    assert (allowed.output["degraded"], allowed.output["model"]) == (True, "brightness")
    (record,) = driver.records_of("fallback/yes.png")
    assert (record["status"], record["model"]) == ("DONE", "brightness")


def test_a_function_that_takes_too_long_is_stopped(driver: Driver) -> None:
    execution = driver.drop(png(square()), "endless/cat.png", model="endless")

    assert (execution.status, execution.error) == ("FAILED", "Sandbox.Timedout")
    assert driver.records_of("endless/cat.png")[0]["error"] == "Sandbox.Timedout"
    assert driver.cloud.host.worker_pids(f"{REMOVER}-endless") == []


def test_a_killed_worker_fails_its_photo_by_name_and_no_other(driver: Driver) -> None:
    key = "killed/cat.png"
    driver.put(png(square()), key, model="slow")
    log = driver.cloud.logs / f"{REMOVER}-slow.log"
    _wait_until_running(driver, f"{REMOVER}-slow", key)

    (pid,) = driver.cloud.host.worker_pids(f"{REMOVER}-slow")
    os.kill(pid, signal.SIGKILL)
    (execution,) = driver.wait_for([key])
    following = driver.drop(png(square()), "killed/next.png")

    assert (execution.status, execution.error) == ("FAILED", "Runtime.ExitError")
    assert driver.records_of(key)[0]["status"] == "FAILED"
    assert following.status == "SUCCEEDED", following.reason
    assert log.exists()


def _wait_until_running(driver: Driver, function: str, key: str) -> None:
    """Until the function's worker has work: its job is claimed and its process is there."""
    deadline = time.monotonic() + 30
    while not (driver.records_of(key) and driver.cloud.host.worker_pids(function)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
