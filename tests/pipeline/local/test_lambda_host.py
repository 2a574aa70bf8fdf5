"""Functions behave as on Lambda, however their workers start, under either runtime client."""

from __future__ import annotations

import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.local.lambda_host import LambdaHost
from pipeline.local.runtime_api import Answer
from tests.conftest import ROOT
from tests.pipeline.local.conftest import ARN, Ask

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")


def _error(answer: Answer) -> tuple[str, str]:
    body = json.loads(answer.payload)
    assert answer.failed
    return body["errorType"], body["errorMessage"]


def test_a_handler_gets_its_event_and_context(ask: Ask) -> None:
    answer = ask(do="echo", say="안녕 😀")

    body = json.loads(answer.payload)
    assert not answer.failed
    assert body["said"] == "안녕 😀"
    assert body["arn"] == ARN
    assert body["memory"] == "256"
    assert 0 < body["left_ms"] <= 1_000
    assert len(body["request_id"]) == 36


def test_the_users_aws_settings_do_not_reach_a_worker(ask: Ask) -> None:
    answer = ask(do="echo", say="")

    assert json.loads(answer.payload)["own_aws_profile"] is None


def test_a_warm_worker_is_reused(ask: Ask) -> None:
    pids = {json.loads(ask(do="echo", say="").payload)["pid"] for _ in range(3)}

    assert len(pids) == 1


def test_two_calls_get_a_worker_each_and_a_third_waits(host: LambdaHost, ask: Ask) -> None:
    with ThreadPoolExecutor() as threads:
        calls = [threads.submit(ask, do="sleep", seconds=0.3) for _ in range(3)]
        pids = [json.loads(call.result().payload)["pid"] for call in calls]

    assert len(set(pids)) == 2
    assert sorted(set(pids)) == sorted(host.worker_pids("obedient"))


def test_an_exception_keeps_its_class_name(ask: Ask) -> None:
    assert _error(ask(do="raise", say="no")) == ("DeliberateError", "no")


def test_a_large_payload_arrives_complete(ask: Ask) -> None:
    answer = ask(do="echo", say="x" * 200_000)

    assert json.loads(answer.payload)["said"] == "x" * 200_000


def test_a_call_that_times_out_is_stopped_and_its_worker_replaced(
    host: LambdaHost, ask: Ask
) -> None:
    first = json.loads(ask(do="echo", say="").payload)["pid"]

    slow = ask(do="sleep", seconds=30)
    then = json.loads(ask(do="echo", say="").payload)["pid"]

    assert _error(slow) == ("Sandbox.Timedout", "Task timed out after 1.00 seconds")
    assert then != first
    assert host.worker_pids("obedient") == [then]
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


def test_a_worker_that_exits_fails_only_its_own_call(ask: Ask) -> None:
    died = ask(do="exit", status=7)
    then = ask(do="echo", say="still here")

    assert _error(died) == ("Runtime.ExitError", "Runtime exited with error: exit status 7")
    assert json.loads(then.payload)["said"] == "still here"


def test_a_worker_that_is_killed_fails_its_call_with_the_signal(ask: Ask) -> None:
    killed = ask(do="kill", signal=signal.SIGKILL)

    assert _error(killed) == ("Runtime.ExitError", "Runtime exited with error: signal: 9")


@linux
def test_a_worker_leads_a_session_of_its_own_and_has_nothing_to_read(ask: Ask) -> None:
    told = json.loads(ask(do="tell").payload)

    assert told["pid"] == told["session"] == told["group"]
    assert told["input"] == os.devnull
    assert told["folder"] == told["first_path"] == str(ROOT)
    assert told["arguments"] == ["tests.pipeline.local.handlers.obey"]


@linux
def test_a_handler_learns_how_its_own_processes_end(ask: Ask) -> None:
    assert not json.loads(ask(do="tell").payload)["handles_children"]
    started = ask(do="start", code="raise SystemExit(3)", wait=True)

    assert json.loads(started.payload)["status"] == 3


def test_a_workers_output_goes_to_the_log_of_its_function(ask: Ask, tmp_path: Path) -> None:
    ask(do="start", code="print('for the log')", wait=True)

    assert "for the log" in (tmp_path / "obedient.log").read_text()


def test_a_handler_that_cannot_be_imported_fails_its_calls(host: LambdaHost) -> None:
    answer = host.invoke("broken", b"{}", function_arn=ARN)

    _, message = _error(answer)
    assert "nothing works without coffee" in message


def test_a_missing_handler_fails_its_calls(host: LambdaHost) -> None:
    answer = host.invoke("absent", b"{}", function_arn=ARN)

    _, message = _error(answer)
    assert "nobody" in message


def test_stopping_the_host_leaves_no_process(host: LambdaHost, ask: Ask) -> None:
    pid = json.loads(ask(do="echo", say="").payload)["pid"]

    host.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
