"""Rules on how dead jobs are found and closed: all of them, only them, by the one recorder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from tests.contracts import task_rules
from tests.contracts.asl import Machine, State, paths, strings
from tests.contracts.declared import ROOT, Declared
from tests.contracts.mutations import drop, put
from tests.contracts.slips import Slip

RECORDER: Final = "record-failure"
FOLDER: Final = ROOT / "state_machines"
_JOB: Final = "States/CloseDead/ItemProcessor/States"


def every_page_is_read(machine: Machine, _declared: Declared) -> Iterator[str]:
    """A full page is followed by one that begins after its last job, and asks the same."""
    states = {state.name: state for state in machine.states}
    first, more = (dict(states[name].parameters) for name in ("FindRunning", "FindMore"))
    more.pop("ExclusiveStartKey", None)
    if first != more:
        yield "FindMore: does not ask what FindRunning asks"
    limit = first.get("Limit")
    (full,) = states["PageFull?"].body["Choices"]
    if full.get("NumericEquals") != limit:
        yield f"PageFull?: a page is full at {limit}"
    last = f"$.page.jobs[{int(limit or 0) - 1}].job_id.S"
    if states["GoOn"].parameters["Input"].get("after.$") != last:
        yield f"GoOn: the last job of a full page is {last}"


def only_bad_ends_are_closed(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Exactly the statuses whose change starts the recorder; what runs or went well is left."""
    (scope,) = (scope for scope in machine.scopes if "EndedBadly?" in scope.states)
    asked = scope.states["EndedBadly?"].body
    closed = {choice["StringEquals"] for choice in asked["Choices"]}
    trigger = json.loads((FOLDER / f"{RECORDER}.trigger.json").read_text(encoding="utf-8"))
    for status in sorted(closed ^ set(trigger["detail"]["status"])):
        yield f"EndedBadly?: {status} is closed here or recorded there, and not both"
    if "RecordEnd" in scope.reachable(asked["Default"]):
        yield "EndedBadly?: any other status leads to RecordEnd"


def the_recorder_is_told_what_it_reads(machine: Machine, _declared: Declared) -> Iterator[str]:
    recorder = Machine.read(FOLDER / f"{RECORDER}.asl.json")
    read = {field for state in recorder.states for field in _details(state)}
    for task in machine.tasks:
        if "${RecordFailureStateMachineArn}" in strings(task.parameters):
            told = task.parameters["Input"].get("detail", {})
            for name in sorted(read - {field.removesuffix(".$") for field in told}):
                yield f"{task.name}: the recorder reads detail.{name}"


def only_executions_of_claiming_machines_are_described(
    machine: Machine, _declared: Declared
) -> Iterator[str]:
    """The machine may describe no others, and a denied call would keep the other jobs open."""
    (scope,) = (scope for scope in machine.scopes if "LookAtExecution" in scope.states)
    if "LookAtExecution" in scope.reachable(scope.start, avoiding=("Claiming?",)):
        yield "LookAtExecution: is reached past Claiming?"
    for name in ("OfThisStage?", "Claiming?"):
        if scope.states[name].body.get("Default") != "SayGone":
            yield f"{name}: what does not match is not recorded as gone"


def _details(state: State) -> Iterator[str]:
    for text in strings(_without_results(state)):
        for path in paths(text):
            if path.startswith("$.detail."):
                yield path.split(".")[2]


def _without_results(state: State) -> dict[str, Any]:
    return {name: value for name, value in state.body.items() if name != "ResultPath"}


RULES: Final = (
    every_page_is_read,
    only_bad_ends_are_closed,
    the_recorder_is_told_what_it_reads,
    only_executions_of_claiming_machines_are_described,
)

SLIPS: Final = (
    Slip(
        every_page_is_read,
        put("States/FindMore/Parameters/Limit", 50),
        "FindMore: does not ask what FindRunning asks",
    ),
    Slip(
        every_page_is_read,
        put("States/PageFull?/Choices/0/NumericEquals", 101),
        "PageFull?: a page is full at 100",
    ),
    Slip(
        every_page_is_read,
        put("States/GoOn/Parameters/Input/after.$", "$.page.jobs[0].job_id.S"),
        "GoOn: the last job of a full page is $.page.jobs[99].job_id.S",
    ),
    Slip(
        only_bad_ends_are_closed,
        put(f"{_JOB}/EndedBadly?/Choices/0/StringEquals", "RUNNING"),
        "EndedBadly?: RUNNING is closed here or recorded there, and not both",
    ),
    Slip(
        only_bad_ends_are_closed,
        put(f"{_JOB}/EndedBadly?/Default", "SayHow"),
        "EndedBadly?: any other status leads to RecordEnd",
    ),
    Slip(
        the_recorder_is_told_what_it_reads,
        drop(f"{_JOB}/RecordEnd/Parameters/Input/detail/stopDate.$"),
        "RecordEnd: the recorder reads detail.stopDate",
    ),
    Slip(
        task_rules.children_time_out_first,
        put("States/GoOn/ResultPath", "$.started"),
        "GoOn: does not wait for the machine it starts",
    ),
    Slip(
        the_recorder_is_told_what_it_reads,
        drop(f"{_JOB}/RecordEnd/Parameters/Input/detail/stateMachineArn.$"),
        "RecordEnd: the recorder reads detail.stateMachineArn",
    ),
    Slip(
        only_executions_of_claiming_machines_are_described,
        put(f"{_JOB}/OfThisStage?/Choices/0/Next", "LookAtExecution"),
        "LookAtExecution: is reached past Claiming?",
    ),
    Slip(
        only_executions_of_claiming_machines_are_described,
        put(f"{_JOB}/Claiming?/Default", "LeftAlone"),
        "Claiming?: what does not match is not recorded as gone",
    ),
)
