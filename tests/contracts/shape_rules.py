"""Rules on the shape of a state machine: names, comments, ways through it, portability."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tests.contracts.asl import Machine, Scope, fields, placeholders, strings
from tests.contracts.declared import Declared
from tests.contracts.roles import Role

_KEBAB: Final = re.compile(r"[a-z]+(-[a-z]+)*")
_PASCAL: Final = re.compile(r"([A-Z][a-z0-9]*)+")
_ENDS: Final = frozenset({"Succeed", "Fail"})

# What only some engines run. A Map is INLINE; a distributed one has the fields named here.
_UNPORTABLE_FIELDS: Final = frozenset(
    {
        "Assign",
        "Output",
        "Arguments",
        "ItemBatcher",
        "ItemReader",
        "ResultWriter",
        "Iterator",
        "ToleratedFailureCount",
        "ToleratedFailurePercentage",
    }
)
_SERVICES: Final = frozenset(
    {
        "lambda",
        "dynamodb",
        "aws-sdk:dynamodb",
        "aws-sdk:s3",
        "aws-sdk:sfn",
        "aws-sdk:ecr",
        "aws-sdk:cloudformation",
        "states",
        "events",
        "batch",
    }
)

# Fields whose paths Step Functions refuses unless they select one place, and what selects several.
_REFERENCES: Final = frozenset({"ItemsPath", "MaxConcurrencyPath", "ResultPath", "Variable"})
_SEVERAL: Final = re.compile(r"\*|\.\.|[,:?@]")


def placeholders_resolve(machine: Machine, declared: Declared) -> Iterator[str]:
    """Every `${Name}` is declared somewhere, and stands inside a string value."""
    names = placeholders(machine.definition)
    for name in names:
        if name not in declared.substitutions:
            yield f"${{{name}}} is declared nowhere"
    astray = machine.text.count("${") - len(names)
    if astray:
        yield f"{astray} placeholders are misspelt or stand outside string values"


def names_are_spelt_alike(machine: Machine, _declared: Declared) -> Iterator[str]:
    if not _KEBAB.fullmatch(machine.name):
        yield f"file name {machine.name!r} is not kebab-case"
    for state in machine.states:
        name = state.name.removesuffix("?") if state.type == "Choice" else state.name
        if not _PASCAL.fullmatch(name):
            yield f"{state.name}: not PascalCase (only a Choice may end in a question mark)"


def names_are_used_once(machine: Machine, _declared: Declared) -> Iterator[str]:
    names = [state.name for state in machine.states]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name}: more than one state has this name"


def comments_explain(machine: Machine, _declared: Declared) -> Iterator[str]:
    if not machine.definition.get("Comment"):
        yield "the machine has no Comment"
    for task in machine.tasks:
        if not task.body.get("Comment"):
            yield f"{task.name}: a Task without a Comment"


def targets_exist(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Next, Default, StartAt, Choices and Catch name states of the same scope."""
    for scope in machine.scopes:
        if scope.start not in scope.states:
            yield f"{scope.owner}: StartAt names no state: {scope.start!r}"
        for state in scope.states.values():
            for lost in sorted(state.targets - scope.states.keys()):
                yield f"{state.name}: leads to {lost!r}, which does not exist"


def every_state_goes_on_or_ends(machine: Machine, _declared: Declared) -> Iterator[str]:
    for state in machine.states:
        ways = [link for link in ("Next", "End") if state.body.get(link)]
        expected = 0 if state.type in _ENDS | {"Choice"} else 1
        if len(ways) != expected:
            yield f"{state.name}: a {state.type} with {ways or 'neither Next nor End'}"
        if state.type == "Choice" and "Default" not in state.body:
            yield f"{state.name}: a Choice without a Default"


def every_state_is_reachable(machine: Machine, _declared: Declared) -> Iterator[str]:
    for scope in machine.scopes:
        for name in sorted(scope.states.keys() - scope.reachable(scope.start)):
            yield f"{name}: no way leads here from {scope.start}"


def every_way_ends(machine: Machine, _declared: Declared) -> Iterator[str]:
    """From every state some way leads to the end of its scope."""
    for scope in machine.scopes:
        for name in scope.states:
            if not scope.ends(name):
                yield f"{name}: no way out"


def runs_on_every_engine(machine: Machine, declared: Declared) -> Iterator[str]:
    """JSONPath without variables or filters, INLINE Maps, the integrations we emulate.

    A batch machine runs on AWS alone: the local cloud leaves it out.
    """
    on_aws_alone = declared.role_of(machine) is Role.BATCH
    for name, value in fields(machine.definition):
        if name == "QueryLanguage" and value != "JSONPath":
            yield f"QueryLanguage is {value}"
        if name == "Mode" and value != "INLINE" and not on_aws_alone:
            yield f"a Map of mode {value}"
    if any("[?(" in text for text in strings(machine.definition)):
        yield "a JSONPath filter"
    for scope in machine.scopes if not on_aws_alone else ():
        yield from _unportable_states(scope)


def reference_paths_select_one_place(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Step Functions creates no machine whose Map takes its items from several places."""
    for state in machine.states:
        for name, value in fields(state.body):
            if name in _REFERENCES and isinstance(value, str) and _SEVERAL.search(value):
                yield f"{state.name}: {name} {value} selects more than one place"


def distributed_maps_are_bounded(machine: Machine, _declared: Declared) -> Iterator[str]:
    """A distributed Map says how much runs at once, how much may fail, and where results go."""
    for state in machine.states:
        mode = state.body.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode")
        if state.type == "Map" and mode == "DISTRIBUTED":
            given = {name.removesuffix("Path") for name in state.body}
            wanted = {"MaxConcurrency", "ToleratedFailurePercentage", "ResultWriter"}
            for name in sorted(wanted - given):
                yield f"{state.name}: a distributed Map without {name}"


def _unportable_states(scope: Scope) -> Iterator[str]:
    for state in scope.states.values():
        for name in sorted(_UNPORTABLE_FIELDS & state.body.keys()):
            yield f"{state.name}: {name}"
        if state.type == "Task" and state.service not in _SERVICES:
            yield f"{state.name}: {state.resource} is no integration the local cloud runs"
        mode = state.body.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode")
        if state.type == "Map" and mode != "INLINE":
            yield f"{state.name}: a Map that does not say it is INLINE"


def sdk_answers_are_selected(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Engines answer SDK calls with different extras: only what is selected may travel."""
    for task in machine.tasks:
        kept = task.body.get("ResultPath", "$") is not None
        if task.service.startswith("aws-sdk:") and kept and not task.body.get("ResultSelector"):
            yield f"{task.name}: no ResultSelector"


RULES: Final = (
    placeholders_resolve,
    names_are_spelt_alike,
    names_are_used_once,
    comments_explain,
    targets_exist,
    every_state_goes_on_or_ends,
    every_state_is_reachable,
    every_way_ends,
    runs_on_every_engine,
    reference_paths_select_one_place,
    distributed_maps_are_bounded,
    sdk_answers_are_selected,
)
