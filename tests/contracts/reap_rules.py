"""Rules on how dead jobs are found and closed: all of them, only them, by the one recorder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from tests.contracts.asl import Machine, State, paths, strings
from tests.contracts.declared import ROOT, Declared

MACHINE: Final = "reap-jobs"
RECORDER: Final = "record-failure"
FOLDER: Final = ROOT / "state_machines"


def every_page_is_read(machine: Machine, _declared: Declared) -> Iterator[str]:
    """A full page is followed by one that begins after its last job, and asks the same."""
    if machine.name != MACHINE:
        return
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
    if machine.name != MACHINE:
        return
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


def _details(state: State) -> Iterator[str]:
    for text in strings(_without_results(state)):
        for path in paths(text):
            if path.startswith("$.detail."):
                yield path.split(".")[2]


def _without_results(state: State) -> dict[str, Any]:
    return {name: value for name, value in state.body.items() if name != "ResultPath"}


RULES: Final = (every_page_is_read, only_bad_ends_are_closed, the_recorder_is_told_what_it_reads)
