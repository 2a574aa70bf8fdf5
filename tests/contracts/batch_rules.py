"""Rules on work by the thousand: however a distributed Map ends, somebody is told, and in JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipeline.operations.backfilling import LISTS
from tests.contracts.asl import Machine, State
from tests.contracts.declared import Declared

# How a distributed Map fails, child executions aside.
MAP_FAILURES: Final = frozenset(
    {
        "States.ExceedToleratedFailureThreshold",
        "States.ItemReaderFailed",
        "States.ResultWriterFailed",
    }
)
SUMMARY: Final = "PublishSummary"


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


def what_is_put_is_json(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Step Functions writes a Body as JSON: text would arrive in quotes, an object as itself."""
    for task in machine.tasks:
        if task.resource.endswith("aws-sdk:s3:putObject"):
            if not isinstance(task.parameters.get("Body"), dict):
                yield f"{task.name}: a Body that is no object"
            if task.parameters.get("ContentType") != "application/json":
                yield f"{task.name}: JSON that does not say so"


def _distributed(state: State) -> bool:
    mode = state.body.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode")
    return state.type == "Map" and mode == "DISTRIBUTED"


RULES: Final = (every_end_is_summed_up, lists_start_nothing, what_is_put_is_json)
