"""Rules on uploads that are for another product: its machine gets them, under the same name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from tests.contracts.asl import Body, Machine, State
from tests.contracts.declared import ANY_PRODUCT, Declared
from tests.contracts.task_rules import HAND_OVER

_END: Final = "HandedOver"
_NAMED: Final = "NameOtherMachine"
_ASKED: Final = ("ReadRequest", "NameRequestedMachine")
# Each error with the field of its job that asks for it, and the state that it leads to.
_WAYS: Final[Mapping[str, tuple[str, str]]] = {
    "OtherMedia": ("hands_over", _NAMED),
    "OtherProduct": ("hands_over_requests", _ASKED[0]),
}
_EXISTS: Final = frozenset(
    {"StepFunctions.ExecutionAlreadyExists", "StepFunctions.ExecutionAlreadyExistsException"}
)
_THE_SAME: Final = {"Name.$": "$$.Execution.Name", "Input.$": "$$.Execution.Input"}
_STARTED: Final = f"States.Format('${{{ANY_PRODUCT}}}', $.machine)"
_TOLD: Final = "States.Format('${ExecutionArnPrefix}{}:{}', $.machine, $$.Execution.Name)"
# The message of OtherProduct begins with the name of the machine, and a colon.
_READ: Final = {"cause.$": "States.StringToJson($.Cause)"}
_NAME_READ: Final = {
    "machine.$": "States.ArrayGetItem(States.StringSplit($.cause.errorMessage, ':'), 0)"
}


def other_uploads_are_handed_over(machine: Machine, declared: Declared) -> Iterator[str]:
    """The first task asks for it, and leads there; no way goes past the start, or on to a job."""
    scope = machine.scopes[0]
    for state in machine.states:
        expected = {
            name
            for name, (asks, _) in _WAYS.items()
            if state.name == scope.start and state.payload.get(asks) is True
        }
        for name in sorted(expected - state.caught):
            yield f"{state.name}: {name} is not caught"
        for name in sorted(declared.handed_over & state.caught - expected):
            yield f"{state.name}: catches {name}, which it does not ask for"
        for catcher in state.catchers:
            yield from _led_astray(state, catcher, declared)
    for first, way in ((_NAMED, {_NAMED}), (_ASKED[0], {*_ASKED})):
        if scope.reachable(first) != {*way, HAND_OVER, _END}:
            yield f"{first}: leads somewhere else than to {HAND_OVER} and {_END}"


def _led_astray(state: State, catcher: Body, declared: Declared) -> Iterator[str]:
    names = frozenset(catcher["ErrorEquals"])
    for name in sorted(names & declared.handed_over):
        if catcher["Next"] != _WAYS[name][1]:
            yield f"{state.name}: {name} leads to {catcher['Next']}"
        for other in sorted(names - {name}):
            yield f"{state.name}: {other} is caught as if it were {name}"


def what_is_handed_over_is_the_same(machine: Machine, declared: Declared) -> Iterator[str]:
    """The other machine is a product's, and gets this execution's name and its input untouched."""
    start, end = (_state(machine, name) for name in (HAND_OVER, _END))
    others = {*declared.products} - {machine.name}
    if _state(machine, _NAMED).parameters.get("machine") not in others:
        yield f"{_NAMED}: names no machine of another product"
    for name, parameters in zip(_ASKED, (_READ, _NAME_READ), strict=True):
        if _state(machine, name).parameters != parameters:
            yield f"{name}: does not read the machine that OtherProduct names"
    if start.parameters.get("StateMachineArn.$") != _STARTED:
        yield f"{HAND_OVER}: does not start the machine that was named"
    for name, value in _THE_SAME.items():
        if start.parameters.get(name) != value:
            yield f"{HAND_OVER}: {name.removesuffix('.$')} is not this execution's"
    if start.caught != _EXISTS:
        yield f"{HAND_OVER}: an execution that was started before is not caught"
    told = end.parameters
    if told.get("status") != "HANDED_OVER" or told.get("execution.$") != _TOLD:
        yield f"{_END}: does not name the execution that was started"


def _state(machine: Machine, name: str) -> State:
    return machine.scopes[0].states[name]


OF_PRODUCTS: Final = (
    other_uploads_are_handed_over,
    what_is_handed_over_is_the_same,
)
