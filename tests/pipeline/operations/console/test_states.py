"""The states of an execution follow from its history, while it runs and after its end."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from pipeline.local.moto import compat, memory
from pipeline.local.server import LocalServer, moto_app
from tests.pipeline.local.moto.machine import Machine
from tests.pipeline.operations.console.histories import START, Written, read, run, told

PASS: Final = {"Type": "Pass"}
MISSING: Final = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
    "Parameters": {"Bucket": "none", "Key": "k"},
}
ERROR: Final = "S3.NoSuchBucketException"


@pytest.fixture(scope="module")
def states() -> Iterator[Any]:
    compat.apply()
    server = LocalServer(0)
    server.start(moto_app())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_PORT", str(server.port))
        yield Machine(server.port).client("stepfunctions")
    server.stop()
    memory.forget()


def test_branches_and_iterations_have_paths(states: Any) -> None:
    each = {
        "StartAt": "Each",
        "States": {"Each": {**PASS, "Next": "More"}, "More": {**PASS, "End": True}},
    }
    mapped = {"Type": "Map", "ItemsPath": "$", "ItemProcessor": each, "End": True}
    left = {"StartAt": "Left", "States": {"Left": {**PASS, "Next": "Items"}, "Items": mapped}}
    definition = {
        "StartAt": "Both",
        "States": {
            "Both": {
                "Type": "Parallel",
                "Branches": [
                    left,
                    {"StartAt": "Right", "States": {"Right": {**PASS, "End": True}}},
                ],
                "Next": "Last",
            },
            "Last": {**PASS, "End": True},
        },
    }  # fmt: skip

    visits = run(states, definition, [1, 2])

    assert {each.status for each in visits} == {"succeeded"}
    places = sorted(("/".join(each.path), each.name) for each in visits)
    assert places == [
        ("", "Both"),
        ("", "Last"),
        ("Both[0]", "Items"),
        ("Both[0]", "Left"),
        ("Both[0]/Items[0]", "Each"),
        ("Both[0]/Items[0]", "More"),
        ("Both[0]/Items[1]", "Each"),
        ("Both[0]/Items[1]", "More"),
        ("Both[1]", "Right"),
    ]
    assert all(each.left and each.left >= each.entered for each in visits)
    (second,) = (each for each in visits if each.path[1:] == ("Items[1]",) and each.name == "Each")
    assert (second.given, second.result) == ("2", "2")


def test_each_attempt_counts_and_has_its_error(states: Any) -> None:
    retry = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1}
    task = {
        **MISSING,
        "Retry": [retry],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "After"}],
    }
    definition = {
        "StartAt": "Read",
        "States": {"Read": {**task, "End": True}, "After": {**PASS, "End": True}},
    }

    read_, after = run(states, definition, {})

    assert (read_.attempts, read_.status, after.status) == (2, "caught", "succeeded")
    assert [each.error for each in read_.errors] == [ERROR, ERROR]
    assert "bucket does not exist" in read_.errors[0].cause


def test_what_fails_an_execution_is_failed_and_so_is_what_it_is_in(states: Any) -> None:
    inside = {"StartAt": "Read", "States": {"Read": {**MISSING, "End": True}}}
    mapped = {"Type": "Map", "ItemsPath": "$", "ItemProcessor": inside, "End": True}
    definition = {"StartAt": "Items", "States": {"Items": mapped}}

    items, read_ = run(states, definition, [1])

    assert told([items, read_]) == [("", "Items", "failed"), ("Items[0]", "Read", "failed")]
    assert [each.error for each in items.errors] == [ERROR]
    assert items.left == items.errors[0].at or items.left is not None


def test_a_fail_state_has_its_error_by_name_or_from_its_input(states: Any) -> None:
    fail = {"Type": "Fail", "ErrorPath": "$.why.error", "CausePath": "$.why.cause"}
    branch = {"StartAt": "Stop", "States": {"Stop": fail}}
    caught = [{"ErrorEquals": ["TooLarge"], "ResultPath": "$.caught", "Next": "End"}]
    definition = {
        "StartAt": "Once",
        "States": {
            "Once": {"Type": "Parallel", "Branches": [branch], "Catch": caught, "Next": "End"},
            "End": {"Type": "Fail", "Error": "Ended", "Cause": "for good"},
        },
    }

    once, stop, end = run(states, definition, {"why": {"error": "TooLarge", "cause": "9 GB"}})

    assert [each.status for each in (once, stop, end)] == ["caught", "failed", "failed"]
    assert [(each.error, each.cause) for each in stop.errors] == [("TooLarge", "9 GB")]
    assert [each.error for each in once.errors] == ["TooLarge"]
    assert [(each.error, each.cause) for each in end.errors] == [("Ended", "for good")]


def test_an_execution_that_runs_has_running_states_and_one_that_is_stopped_aborted_ones() -> None:
    definition = {
        "StartAt": "Wait",
        "States": {"Wait": {"Type": "Wait", "Seconds": 9, "End": True}},
    }
    events = Written()
    events.add("ExecutionStarted", 0)
    events.add("WaitStateEntered", 0, name="Wait", input="{}")

    (running,) = read(definition, events)
    (stopped,) = read(definition, events, "ABORTED", "JobStopped", "", START)

    assert (running.status, running.left) == ("running", None)
    assert (stopped.status, stopped.left) == ("aborted", START)


def test_a_child_a_function_and_a_job_are_named() -> None:
    child = "arn:aws:states:us-east-1:123456789012:execution:matteline-dev-stage-weights:c"
    events = Written()
    started = [
        ("states", "output", {"ExecutionArn": child}),
        ("lambda", "parameters", {"FunctionName": "matteline-dev-edge-refiner:live"}),
        ("batch", "parameters", {"JobDefinition": "matteline-dev-diarizer-x"}),
    ]
    for service, field, value in started:
        events.add("TaskStateEntered", name=service, input="{}")
        details: dict[str, Any] = {"resourceType": service, field: json.dumps(value)}
        events.add("TaskScheduled", **details)
        events.add("TaskStateExited", name=service, output="{}")

    nested, called, ran = read({}, events)

    assert nested.child == child
    assert called.function == "matteline-dev-edge-refiner:live"
    assert ran.job == "matteline-dev-diarizer-x"


def test_iterations_that_run_at_once_are_detailsapart_as_aws_orders_their_events() -> None:
    events = Written()
    events.add("MapStateEntered", 0, name="Items", input="[1, 2]")
    mapped = events.add("MapStateStarted", length=2)
    ends = []
    starts = [events.add("MapIterationStarted", mapped, name="Items", index=i) for i in (0, 1)]
    tasks = [events.add("TaskStateEntered", after, name="Do", input="1") for after in starts]
    for number, task in reversed(list(enumerate(tasks))):
        tried = events.add("TaskScheduled", task)
        if number == 1:
            tried = events.add("TaskFailed", tried, error="Busy", cause="")
            tried = events.add("TaskScheduled", tried)
        done = events.add("TaskSucceeded", tried)
        left = events.add("TaskStateExited", done, name="Do", output="1")
        ends.append(events.add("MapIterationSucceeded", left, name="Items", index=number))
    events.add("MapStateSucceeded", ends[-1])
    events.add("MapStateExited", name="Items", output="[1, 1]")
    events.add("PassStateEntered", name="Last", input="[1, 1]")

    items, first, second, last = read({}, events)

    assert told([items, first, second, last]) == [
        ("", "Items", "succeeded"),
        ("Items[0]", "Do", "succeeded"),
        ("Items[1]", "Do", "succeeded"),
        ("", "Last", "running"),
    ]
    assert [each.attempts for each in (items, first, second)] == [1, 1, 2]
    assert [each.error for each in second.errors] == ["Busy"]


def test_the_largest_history_is_read_in_seconds() -> None:
    """25,000 events: Step Functions ends an execution with more."""
    events = Written()
    events.add("MapStateEntered", 0, name="Items", input="[]")
    after = mapped = events.add("MapStateStarted", length=6_000)
    for number in range(6_000):
        start = mapped if number % 40 else after
        start = events.add("MapIterationStarted", start, name="Items", index=number)
        events.add("PassStateEntered", start, name="Do", input="1")
        events.add("PassStateExited", name="Do", output="1")
        after = events.add("MapIterationSucceeded", name="Items", index=number)
    began = time.perf_counter()

    visits = read({}, events)

    assert len(visits) == 6_001
    assert visits[-1].path == ("Items[5999]",)
    assert time.perf_counter() - began < 10
