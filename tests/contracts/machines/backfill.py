"""Rules on work by the thousand: however a distributed Map ends, somebody is told, and in JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipeline.compute import LANES
from pipeline.operations.backfill.lists import LISTS
from tests.contracts import data_rules, task_rules
from tests.contracts.asl import Machine, State
from tests.contracts.declared import Declared
from tests.contracts.mutations import drop, put
from tests.contracts.slips import Slip

# How a distributed Map fails, child executions aside.
MAP_FAILURES: Final = frozenset(
    {
        "States.ExceedToleratedFailureThreshold",
        "States.ItemReaderFailed",
        "States.ResultWriterFailed",
    }
)
SUMMARY: Final = "PublishSummary"
_LINE: Final = "States/ProcessList/ItemProcessor/States/ProcessLine"
_LISTED: Final = "States/ProcessPrefix/ItemProcessor/States/ProcessListed"


def every_end_is_summed_up(machine: Machine, _declared: Declared) -> Iterator[str]:
    """No way leads from a distributed Map, well or not, past the summary."""
    for scope in machine.scopes:
        for state in scope.states.values():
            if not _distributed(state):
                continue
            for name in sorted(MAP_FAILURES - state.caught):
                yield f"{state.name}: {name} is not caught"
            for end in scope.ends(state.name, avoiding=(SUMMARY,)):
                if end.name != SUMMARY:
                    yield f"{state.name}: can get to {end.name} past {SUMMARY}"


def lists_start_nothing(machine: Machine, _declared: Declared) -> Iterator[str]:
    """A list of objects lies where no object starts an execution, and where the verb puts it."""
    for state in machine.states:
        reader = state.body.get("ItemReader", {})
        if not reader.get("Resource", "").endswith("s3:getObject"):
            continue
        if reader["Parameters"].get("Bucket") != "${WorkBucket}":
            yield f"{state.name}: reads a list outside the work bucket"
        if f"'{LISTS}{{}}'" not in reader["Parameters"].get("Key.$", ""):
            yield f"{state.name}: reads a list outside {LISTS}"


def _distributed(state: State) -> bool:
    mode = state.body.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode")
    return state.type == "Map" and mode == "DISTRIBUTED"


def only_products_machines_are_started(machine: Machine, _declared: Declared) -> Iterator[str]:
    """The machine may start no others, and each denied item would be tried again."""
    (scope,) = (scope for scope in machine.scopes if "MachineKnown?" in scope.states)
    maps = {state.name for state in scope.states.values() if _distributed(state)}
    for name in sorted(maps & scope.reachable(scope.start, avoiding=("MachineKnown?",))):
        yield f"{name}: is reached past MachineKnown?"
    for scope in machine.scopes:
        if "LineKnown?" in scope.states and scope.start != "LineKnown?":
            yield f"{scope.start}: a line's machine is not checked first"


def uploads_go_first(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Each execution of a product knows that a backfill started it: its jobs wait for uploads'."""
    for state in machine.states:
        if state.body.get("Resource", "").endswith("states:startExecution.sync:2"):
            given = state.body["Parameters"].get("Input", {})
            if given.get("lane") != LANES[-1]:
                yield f"{state.name}: starts an execution in the lane of uploads"


RULES: Final = (
    every_end_is_summed_up,
    lists_start_nothing,
    only_products_machines_are_started,
    uploads_go_first,
)

SLIPS: Final = (
    Slip(
        every_end_is_summed_up,
        drop("States/ProcessList/Catch/1"),
        "ProcessList: States.ItemReaderFailed is not caught",
    ),
    Slip(
        every_end_is_summed_up,
        put("States/SayTooManyFailed/Next", "Failed"),
        "ProcessPrefix: can get to Failed past PublishSummary",
    ),
    Slip(
        lists_start_nothing,
        put("States/ProcessList/ItemReader/Parameters/Bucket", "${IngestBucket}"),
        "ProcessList: reads a list outside the work bucket",
    ),
    Slip(
        lists_start_nothing,
        put("States/ProcessList/ItemReader/Parameters/Key.$", "$.batch.list"),
        "ProcessList: reads a list outside backfill/lists/",
    ),
    Slip(
        data_rules.what_is_put_is_json,
        put("States/PublishSummary/Parameters/Body", "total,failed"),
        "PublishSummary: a Body that is no object",
    ),
    Slip(
        only_products_machines_are_started,
        put("States/OneBatch/Next", "ListGiven?"),
        "ProcessPrefix: is reached past MachineKnown?",
    ),
    Slip(
        only_products_machines_are_started,
        put("States/ProcessList/ItemProcessor/StartAt", "ProcessLine"),
        "ProcessLine: a line's machine is not checked first",
    ),
    Slip(
        uploads_go_first,
        drop(f"{_LISTED}/Parameters/Input/lane"),
        "ProcessListed: starts an execution in the lane of uploads",
    ),
    Slip(
        task_rules.children_time_out_first,
        put(f"{_LINE}/TimeoutSeconds", 86399),
        "ProcessLine: TimeoutSeconds below the 86400 of the machine it waits for",
    ),
)
