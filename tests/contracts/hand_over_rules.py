"""Rules on uploads of another product's media: its machine gets them, under the same name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipeline.declared.declaration import pascal_case
from tests.contracts.asl import Machine, State
from tests.contracts.declared import Declared
from tests.contracts.task_rules import HAND_OVER

_END: Final = "HandedOver"
_EXISTS: Final = frozenset(
    {"StepFunctions.ExecutionAlreadyExists", "StepFunctions.ExecutionAlreadyExistsException"}
)
_THE_SAME: Final = {"Name.$": "$$.Execution.Name", "Input.$": "$$.Execution.Input"}


def other_media_are_handed_over(machine: Machine, declared: Declared) -> Iterator[str]:
    """The first task asks for it, and leads there; no way goes past the start, or on to a job."""
    scope = machine.scopes[0]
    for state in machine.states:
        asks = state.name == scope.start and state.payload.get("hands_over") is True
        expected = declared.handed_over if asks else frozenset()
        for name in sorted(expected - state.caught):
            yield f"{state.name}: {name} is not caught"
        for name in sorted(declared.handed_over & state.caught - expected):
            yield f"{state.name}: catches {name}, which it does not ask for"
        for catcher in state.catchers:
            names = frozenset(catcher["ErrorEquals"])
            if not declared.handed_over & names:
                continue
            if catcher["Next"] != HAND_OVER:
                yield f"{state.name}: other media lead to {catcher['Next']}"
            for name in sorted(names - declared.handed_over):
                yield f"{state.name}: {name} is caught as if it were other media"
    if scope.reachable(HAND_OVER) != {HAND_OVER, _END}:
        yield f"{HAND_OVER}: leads somewhere else than to {_END}"


def what_is_handed_over_is_the_same(machine: Machine, declared: Declared) -> Iterator[str]:
    """The other machine is a product's, and gets this execution's name and its input untouched."""
    start, end = (_state(machine, name) for name in (HAND_OVER, _END))
    others = {
        f"${{{pascal_case(name)}StateMachineArn}}": name
        for name in declared.products
        if name != machine.name
    }
    other = others.get(str(start.parameters.get("StateMachineArn")))
    if other is None:
        yield f"{HAND_OVER}: does not start the machine of another product"
    for name, value in _THE_SAME.items():
        if start.parameters.get(name) != value:
            yield f"{HAND_OVER}: {name.removesuffix('.$')} is not this execution's"
    if start.caught != _EXISTS:
        yield f"{HAND_OVER}: an execution that was started before is not caught"
    told = end.parameters
    arn = f"States.Format('${{ExecutionArnPrefix}}{other}:{{}}', $$.Execution.Name)"
    if told.get("status") != "HANDED_OVER" or told.get("execution.$") != arn:
        yield f"{_END}: does not name the execution that was started"


def _state(machine: Machine, name: str) -> State:
    return machine.scopes[0].states[name]


OF_PRODUCTS: Final = (other_media_are_handed_over, what_is_handed_over_is_the_same)
