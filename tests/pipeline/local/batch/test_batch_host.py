"""Jobs of the local AWS Batch end as AWS Batch's do, and leave nothing behind."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.local.batch.batch_host import BatchHost
from pipeline.local.batch.job import Job
from tests.conftest import ROOT
from tests.pipeline.local.batch.conftest import BACKFILL, Desk, wait_until

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")
EXITED = "Essential container in task exited"


def _gone(pid: int) -> bool:
    """Return True if the process has ended, whether somebody asked for its status or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_job_that_exits_with_0_succeeds_at_once(desk: Desk) -> None:
    job = desk.run("exit", "0")

    assert (job["status"], job["statusReason"], len(job["attempts"])) == ("SUCCEEDED", EXITED, 1)
    assert job["container"]["exitCode"] == 0
    assert job["createdAt"] <= job["startedAt"] <= job["stoppedAt"]


def test_a_job_that_exits_with_1_is_tried_three_times(desk: Desk) -> None:
    job = desk.run("exit", "1")

    assert (job["status"], job["statusReason"]) == ("FAILED", EXITED)
    assert [each["container"]["exitCode"] for each in job["attempts"]] == [1, 1, 1]


def test_a_job_may_succeed_at_its_second_attempt(desk: Desk) -> None:
    job = desk.run("succeed after", "1")

    assert job["status"] == "SUCCEEDED"
    assert [each["container"]["exitCode"] for each in job["attempts"]] == [1, 0]


@pytest.mark.parametrize("status", ["2", "137"])
def test_a_job_with_another_exit_code_is_not_tried_again(desk: Desk, status: str) -> None:
    job = desk.run("exit", status)

    assert (job["status"], len(job["attempts"])) == ("FAILED", 1)
    assert job["container"]["exitCode"] == int(status)


def test_a_signal_is_an_exit_code_as_of_containers(desk: Desk) -> None:
    job = desk.run("kill", str(int(signal.SIGSEGV)))

    assert (job["container"]["exitCode"], len(job["attempts"])) == (139, 1)


@linux
@pytest.mark.parametrize("how", ["hold", "hold in a child"])
def test_a_job_that_takes_too_much_memory_is_killed_once(desk: Desk, how: str) -> None:
    job = desk.run(how, "300", memory_mb=100)

    assert (job["status"], job["statusReason"], len(job["attempts"])) == ("FAILED", EXITED, 1)
    assert job["container"]["exitCode"] == 137
    reason = job["container"]["reason"]
    assert reason == "OutOfMemoryError: Container killed due to memory usage"


@linux
def test_a_job_may_use_the_memory_it_has(desk: Desk) -> None:
    job_id = desk.submit("hold", "200", memory_mb=512)
    desk.running(job_id)

    time.sleep(1)

    assert desk.running(job_id)["status"] == "RUNNING"


def test_a_job_that_takes_too_long_is_killed_once(desk: Desk) -> None:
    job = desk.run("sleep", "60", timeout_s=1)

    assert (job["status"], len(job["attempts"])) == ("FAILED", 1)
    assert job["statusReason"] == "Job attempt duration exceeded timeout"
    assert job["container"]["exitCode"] == 137


def test_a_running_job_can_be_terminated_with_a_reason(desk: Desk, host: BatchHost) -> None:
    job_id = desk.submit("sleep", "60")
    desk.running(job_id)
    (pid,) = host.pids()

    host.terminate(job_id, "no longer needed")

    job = desk.ended(job_id)
    assert (job["status"], job["statusReason"]) == ("FAILED", "no longer needed")
    assert (job["isTerminated"], len(job["attempts"])) == (True, 1)
    assert _gone(pid)


def test_a_running_job_cannot_be_cancelled(desk: Desk, host: BatchHost) -> None:
    job_id = desk.submit("sleep", "0.5")
    desk.running(job_id)

    host.cancel(job_id, "too late")

    job = desk.ended(job_id)
    assert (job["status"], job["isCancelled"]) == ("SUCCEEDED", False)


def test_waiting_jobs_can_be_cancelled_or_terminated(desk: Desk, host: BatchHost) -> None:
    blocking = [desk.submit("sleep", "60") for _ in range(2)]
    cancelled, terminated = desk.submit("exit", "0"), desk.submit("exit", "0")

    host.cancel(cancelled, "cancelled")
    host.terminate(terminated, "terminated")

    for job_id, reason in ((cancelled, "cancelled"), (terminated, "terminated")):
        job = desk.ended(job_id)
        assert (job["status"], job["statusReason"], job["attempts"]) == ("FAILED", reason, [])
        assert (job["isCancelled"], job["isTerminated"]) == (
            job_id == cancelled,
            job_id == terminated,
        )
    assert [desk.running(each)["status"] for each in blocking] == ["RUNNING"] * 2


def test_an_ended_job_stays_as_it_is(desk: Desk, host: BatchHost) -> None:
    job = desk.run("exit", "0")

    host.terminate(job["jobId"], "too late")
    host.cancel(job["jobId"], "too late")

    assert host.detail(job["jobId"]) == job


def test_as_many_jobs_run_at_once_as_there_are_cores(desk: Desk, host: BatchHost) -> None:
    jobs = [desk.submit("sleep", "0.5") for _ in range(3)]

    assert len(host.pids()) == 2
    assert [desk.ended(each)["status"] for each in jobs] == ["SUCCEEDED"] * 3


def test_as_many_jobs_run_at_once_as_fit_into_the_memory(desk: Desk, host: BatchHost) -> None:
    jobs = [desk.submit("sleep", "0.3", memory_mb=3_000) for _ in range(2)]

    assert len(host.pids()) == 1
    assert [desk.ended(each)["status"] for each in jobs] == ["SUCCEEDED"] * 2


def test_a_job_that_needs_more_than_the_computer_has_gets_all_of_it(desk: Desk) -> None:
    assert desk.run("exit", "0", memory_mb=1_000_000)["status"] == "SUCCEEDED"


def test_jobs_of_uploads_go_before_those_of_a_backfill_that_came_first(
    desk: Desk, tmp_path: Path
) -> None:
    order = str(tmp_path / "order")
    everything: dict[str, Any] = {"memory_mb": 4_096}
    first = desk.submit("sleep", "0.5", **everything)

    backfill = [desk.submit("note", order, name, queue=BACKFILL, **everything) for name in "ab"]
    uploads = [desk.submit("note", order, name, **everything) for name in "cd"]

    for each in (first, *backfill, *uploads):
        desk.ended(each)
    assert Path(order).read_text().split() == ["c", "d", "a", "b"]


def test_a_job_has_a_session_and_the_environment_of_aws(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "the-users")
    job = desk.run("tell", str(tmp_path / "told"))

    told = json.loads((tmp_path / "told").read_text())
    environment = told["environment"]
    assert told["session"] != os.getsid(0)
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "obedient"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "512"
    assert environment["MATTELINE_THREADS"] == "1"
    assert environment["AWS_BATCH_JOB_ID"] == job["jobId"]
    assert environment["AWS_BATCH_JOB_ATTEMPT"] == "1"
    assert environment["AWS_BATCH_JQ_NAME"] == "uploads"
    assert "AWS_LAMBDA_INITIALIZATION_TYPE" not in environment
    assert "AWS_PROFILE" not in environment


def test_output_of_every_attempt_is_in_one_log_of_the_definition(
    desk: Desk, tmp_path: Path
) -> None:
    desk.run("no such thing")

    log = (tmp_path / "logs" / "obedient.batch.log").read_text()
    assert log.count("ValueError: ['no such thing']") == 3


@linux
def test_what_a_job_started_ends_with_it(desk: Desk, host: BatchHost, tmp_path: Path) -> None:
    note = tmp_path / "child"
    job_id = desk.submit("start a child and sleep", str(note))
    wait_until(lambda: note.exists() and note.read_text())

    host.terminate(job_id, "enough")

    desk.ended(job_id)
    wait_until(lambda: _gone(int(note.read_text())))


def test_jobs_end_with_the_host(desk: Desk, host: BatchHost) -> None:
    running, waiting = [desk.submit("sleep", "60") for _ in range(2)], desk.submit("exit", "0")
    pids = host.pids()

    host.stop()

    assert host.pids() == []
    assert all(map(_gone, pids))
    assert [desk.ended(each)["status"] for each in (*running, waiting)] == ["FAILED"] * 3


KILLED = """
import sys, time
from pathlib import Path
from typing import Any
from pipeline.local.batch.batch_host import BatchHost, Room
from pipeline.local.batch.job import Job
from pipeline.local.source_launcher import SourceLauncher
from tests.pipeline.local.batch.conftest import UPLOADS, definition
host = BatchHost([], [UPLOADS], launcher=SourceLauncher(Path.cwd()), logs=Path(sys.argv[1]),
                 room=Room(1, 4096))
host.submit(Job(definition("start a child and sleep", sys.argv[2]), UPLOADS, "test"))
print(*host.pids(), flush=True)
time.sleep(60)
"""


@linux
def test_jobs_end_with_a_cloud_that_was_killed(tmp_path: Path) -> None:
    note = tmp_path / "child"
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(note)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as cloud:
        assert cloud.stdout
        pid = int(cloud.stdout.readline())
        wait_until(lambda: note.exists() and note.read_text())

        cloud.kill()

    wait_until(lambda: _gone(pid))
    wait_until(lambda: _gone(int(note.read_text())))


def test_ended_jobs_take_no_memory(desk: Desk, host: BatchHost) -> None:
    ids = {desk.run("exit", "0")["jobId"] for _ in range(2)}

    assert {each["jobId"] for each in host.details()} == ids
    wait_until(lambda: not any(isinstance(each, Job) for each in gc.get_objects()))


def test_a_job_that_this_computer_cannot_start_fails(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "logs" / "obedient.batch.log").mkdir()

    job = desk.run("exit", "0")

    assert job["status"] == "FAILED"
    assert job["statusReason"].startswith("CannotStartContainerError: ")
    (tmp_path / "logs" / "obedient.batch.log").rmdir()
    assert desk.run("exit", "0")["status"] == "SUCCEEDED"
