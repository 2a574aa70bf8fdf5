"""Print which defects moto has in a distributed Map, by the patch that mends each."""

from __future__ import annotations

import gc
import json
import time
from typing import Any, Final

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from tests.pipeline.local.moto.machine import Machine

BUCKET: Final = "lists"
_OBJECT: Final = "arn:aws:states:::s3:getObject"
_OBJECTS: Final = "arn:aws:states:::s3:listObjectsV2"
_FAIL: Final = {"Type": "Fail", "Error": "Bad", "Cause": "because"}
_WAIT: Final = {"Type": "Wait", "Seconds": 20, "End": True}
_PASS: Final = {"Type": "Pass", "End": True}


def _map(reads: str, key: str, state: dict[str, Any], **more: Any) -> dict[str, Any]:
    where = {"Prefix": key} if reads == _OBJECTS else {"Key": key}
    settings = {} if reads == _OBJECTS else {"ReaderConfig": {"InputType": "JSON"}}
    return {
        "Type": "Map",
        "ItemReader": {"Resource": reads, **settings, "Parameters": {"Bucket": BUCKET, **where}},
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "One",
            "States": {"One": state},
        },
        **more,
    }


_LINES: Final = _map(_OBJECT, "lines", _PASS)
_LINES["ItemReader"]["ReaderConfig"] = {"InputType": "JSONL"}
_WRITER: Final = {
    "Resource": "arn:aws:states:::s3:putObject",
    "Parameters": {"Bucket": BUCKET, "Prefix.$": "$.results"},
}


def maps(machine: Machine) -> dict[str, bool]:
    s3 = machine.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="lines", Body=b'{"a": 1}\n{"a": 2}\n')
    s3.put_object(Bucket=BUCKET, Key="list", Body=b"[1, 2]")
    failed = machine.run(_map(_OBJECT, "list", _FAIL), name="a")
    missing = machine.run(_map(_OBJECT, "none", _PASS), name="a")
    nothing = machine.run(_map(_OBJECTS, "none", _PASS), name="a")
    return {
        "_read_json_lines": lines_are_refused(machine),
        "_name_unread_items": missing["error"] != "States.ItemReaderFailed",
        "_list_all_objects": nothing["status"] == "FAILED",
        "_judge_items": stopped_goes_on(machine) or events_pile_up(machine),
        "_name_too_many_failures": failed.get("error") != "States.ExceedToleratedFailureThreshold",
        "_write_results": results_are_missing(machine),
        "_stop_children": child_goes_on(machine),
        "_find_runs": beginning_is_an_error(),
    }


def lines_are_refused(machine: Machine) -> bool:
    try:
        return bool(machine.run(_LINES, name="a")["status"] == "FAILED")
    except ClientError:
        return True


def results_are_missing(machine: Machine) -> bool:
    state = _map(_OBJECT, "list", _FAIL, ResultWriter=_WRITER, ToleratedFailurePercentage=100.0)
    machine.run(state, name="a", input=json.dumps({"results": "here"}))
    listed = machine.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="here/")
    return not any(each["Key"].endswith("/FAILED_0.json") for each in listed.get("Contents", ()))


def stopped_goes_on(machine: Machine) -> bool:
    """Return True if a Map Run is not ABORTED soon after its execution was stopped."""
    states, arn = machine.client("stepfunctions"), machine.begin(_map(_OBJECT, "list", _WAIT))
    time.sleep(0.5)
    states.stop_execution(executionArn=arn)
    time.sleep(0.5)
    (run,) = states.list_map_runs(executionArn=arn)["mapRuns"]
    told = states.describe_map_run(mapRunArn=run["mapRunArn"])
    return bool(told["status"] != "ABORTED" or told["itemCounts"]["aborted"] != 2)


def events_pile_up(machine: Machine) -> bool:
    """Return True if a Map that runs keeps the events of the items that have ended."""
    machine.client("s3").put_object(Bucket=BUCKET, Key="many", Body=json.dumps([0] * 99 + [1]))
    last = {"Variable": "$", "NumericEquals": 1, "Next": "Wait"}
    state = _map(_OBJECT, "many", {"Type": "Choice", "Choices": [last], "Default": "Pass"})
    state["ItemProcessor"]["States"] |= {"Pass": _PASS, "Wait": {**_WAIT, "Seconds": 3}}
    machine.begin({**state, "MaxConcurrency": 1})
    time.sleep(2)
    managers = (each for each in gc.get_objects() if type(each) is EventManager)
    return any(len(each.get_event_history()) > 100 for each in managers)


def child_goes_on(machine: Machine) -> bool:
    """Return True if an execution still runs soon after the one that waited for it was stopped.

    As it ships, moto cannot even start it.
    """
    states, child = machine.client("stepfunctions"), machine.create(_WAIT)
    waits = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": child, "Input": {}, "Name": "child"},
    }
    arn = machine.begin(waits)
    time.sleep(1)
    states.stop_execution(executionArn=arn)
    time.sleep(1)
    listed = states.list_executions(stateMachineArn=child)["executions"]
    return [each["status"] for each in listed] != ["ABORTED"]


def beginning_is_an_error() -> bool:
    """Return True if a Map Run cannot be looked for while an execution has no state yet."""

    class Beginning:
        exec_worker = type("Worker", (), {"env": None})
        exec_arn = "a"

    class Backend(StepFunctionsParserBackend):  # type: ignore[misc]  # moto is untyped
        def __init__(self) -> None:
            pass

        def describe_execution(self, **_: str) -> Any:
            return Beginning()

    try:
        return bool(Backend().list_map_runs(execution_arn="a") != {"mapRuns": []})
    except AttributeError:
        return True
