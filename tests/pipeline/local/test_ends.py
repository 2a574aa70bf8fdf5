"""Each execution that ends is told to its own process, with all that DescribeExecution says."""

from __future__ import annotations

import json
import os
import queue
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pytest

from pipeline.local.ends import Ends, task_ms
from pipeline.local.moto import compat, memory
from pipeline.local.server import LocalServer, moto_app
from pipeline.operations.executions import Execution, read_execution
from tests.pipeline.local.moto.machine import Machine

PATIENCE_S: Final = 20
LIST_BUCKETS: Final = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:listBuckets"}
FAIL: Final = {"Type": "Pass", "InputPath": "$.missing"}
WAIT: Final = {"Type": "Wait", "Seconds": 60}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    compat.apply()
    memory.forget()
    server = LocalServer(0)
    monkeypatch.setitem(os.environ, "MOTO_PORT", str(server.port))
    server.start(moto_app())
    yield Machine(server.port)
    server.stop()
    memory.forget()


@pytest.fixture
def told() -> Iterator[queue.SimpleQueue[Execution]]:
    heard = queue.SimpleQueue[Execution]()
    ends = Ends()
    ends.listen(heard.put)
    with compat.told_of_ends(ends.tell):
        yield heard


@pytest.mark.parametrize(
    ("state", "status"), [(LIST_BUCKETS, "SUCCEEDED"), (FAIL, "FAILED"), (WAIT, "ABORTED")]
)
def test_every_end_is_told_as_it_is_described(
    machine: Machine, told: queue.SimpleQueue[Execution], state: Any, status: str
) -> None:
    states = machine.client("stepfunctions")
    arn = machine.begin(state, name="a", input=json.dumps({"key": "é"}))
    if state is WAIT:
        stop_when_it_waits(states, arn)

    execution = told.get(timeout=PATIENCE_S)

    assert execution.status == status
    assert without_times(execution) == without_times(read_execution(states, arn))
    events = states.get_execution_history(executionArn=arn)["events"]
    assert execution.task_ms == pytest.approx(task_ms(events))
    assert set(execution.task_ms) == ({"S"} if state is LIST_BUCKETS else set())


def test_nothing_is_told_after_the_block(machine: Machine) -> None:
    heard = queue.SimpleQueue[Execution]()
    ends = Ends()
    ends.listen(heard.put)
    with compat.told_of_ends(ends.tell):
        pass
    machine.run(LIST_BUCKETS, name="a")

    assert heard.empty()


def stop_when_it_waits(states: Any, arn: str) -> None:
    while len(states.get_execution_history(executionArn=arn)["events"]) < 2:
        pass
    states.stop_execution(executionArn=arn, error="Stopped", cause="by a test")


def without_times(execution: Execution) -> Execution:
    """The execution without what the API rounds to seconds or does not tell."""
    return replace(execution, task_ms={}, started=None, ended=None)


def visit(kind: str, name: str, second: int) -> dict[str, object]:
    details = {"Entered": "stateEnteredEventDetails", "Exited": "stateExitedEventDetails"}[kind]
    return {
        "type": f"TaskState{kind}",
        details: {"name": name},
        "timestamp": f"2026-01-01T00:00:{second:02}.000Z",
    }


def test_time_in_which_a_state_runs_several_times_at_once_counts_once() -> None:
    events = [
        visit("Entered", "Transcribe", 0),
        visit("Entered", "Transcribe", 1),
        visit("Exited", "Transcribe", 4),
        visit("Entered", "Other", 5),
        visit("Exited", "Transcribe", 6),
        visit("Exited", "Other", 7),
        visit("Entered", "Transcribe", 10),
        visit("Exited", "Transcribe", 11),
    ]

    assert task_ms(events) == {"Transcribe": 7_000, "Other": 2_000}
