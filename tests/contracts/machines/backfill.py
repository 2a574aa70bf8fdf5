"""Rules on work by the thousand: however a distributed Map ends, somebody is told, and in JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipeline.operations.backfilling import LISTS
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
_ROW: Final = "States/ProcessRows/ItemProcessor/States/ProcessRow"


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
    """A list of photos lies where no object starts an execution, and where the verb puts it."""
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


RULES: Final = (every_end_is_summed_up, lists_start_nothing, only_products_machines_are_started)

SLIPS: Final = (
    Slip(
        every_end_is_summed_up,
        drop("States/ProcessRows/Catch/1"),
        "ProcessRows: States.ItemReaderFailed is not caught",
    ),
    Slip(
        every_end_is_summed_up,
        put("States/SayTooManyFailed/Next", "Failed"),
        "ProcessPrefix: can get to Failed past PublishSummary",
    ),
    Slip(
        lists_start_nothing,
        put("States/ProcessLines/ItemReader/Parameters/Bucket", "${IngestBucket}"),
        "ProcessLines: reads a list outside the work bucket",
    ),
    Slip(
        lists_start_nothing,
        put("States/ProcessLines/ItemReader/Parameters/Key.$", "$.batch.list"),
        "ProcessLines: reads a list outside backfill/lists/",
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
        task_rules.children_time_out_first,
        put(f"{_ROW}/TimeoutSeconds", 86399),
        "ProcessRow: TimeoutSeconds below the 86400 of the machine it waits for",
    ),
)
