"""Rules on what is caught, and where it leads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.contracts.asl import Machine, Scope, State
from tests.contracts.declared import Declared

MAIN: Final = "cutout"
QUARANTINE: Final = "Quarantine"
FALLBACK: Final = "UseFallback"
STAGE_ONCE: Final = "StageAgain"

# How a function's process ends when it is too small; which one it is depends on the moment.
OUT_OF_CAPACITY: Final = frozenset(
    {
        "Lambda.Unknown",
        "Runtime.ExitError",
        "Runtime.OutOfMemory",
        "Sandbox.Timedout",
        "States.Timeout",
    }
)
CAPACITY_TASKS: Final = frozenset({"RemoveBackground", "RefineEdges"})
NEED_A_PERSON: Final = frozenset({"WeightsMismatch", "ModelNotOffered"})
WILDCARDS: Final = frozenset({"States.ALL", "States.TaskFailed"})


def nothing_is_caught_by_wildcard(machine: Machine, _declared: Declared) -> Iterator[str]:
    for state in machine.states:
        for name in sorted(state.caught & WILDCARDS):
            yield f"{state.name}: catches {name}"


def permanent_errors_are_caught(machine: Machine, declared: Declared) -> Iterator[str]:
    """One catcher of every Lambda task names every permanent error and nothing else."""
    for task in machine.lambda_tasks if machine.name == MAIN else ():
        for name in sorted(declared.permanent - task.caught):
            yield f"{task.name}: {name} is not caught"
        for names in _sets_caught_with(task, declared.permanent):
            for name in sorted(names - declared.permanent):
                yield f"{task.name}: {name} is caught as if it were permanent"


def capacity_errors_are_caught(machine: Machine, declared: Declared) -> Iterator[str]:
    """Where pixels are worked on, every way of running out of room is caught, together."""
    capacity = declared.capacity | OUT_OF_CAPACITY
    for task in machine.tasks if machine.name == MAIN else ():
        expected = capacity if task.name in CAPACITY_TASKS else frozenset()
        for name in sorted(expected - task.caught):
            yield f"{task.name}: {name} is not caught"
        for name in sorted(task.caught & capacity - expected):
            yield f"{task.name}: catches {name}, which has no way on from here"
        for names in _sets_caught_with(task, capacity):
            for name in sorted(names - capacity):
                yield f"{task.name}: {name} is caught as if the function were too small"


def _sets_caught_with(task: State, kind: frozenset[str]) -> Iterator[frozenset[str]]:
    for catcher in task.catchers:
        names = frozenset(catcher["ErrorEquals"])
        if names & kind:
            yield names


def redrivable_errors_stay_uncaught(machine: Machine, declared: Declared) -> Iterator[str]:
    """A caught state is not failed, so Redrive cannot resume it; a bad model needs a person."""
    for state in machine.states:
        for name in sorted(state.caught & (declared.transient | NEED_A_PERSON)):
            yield f"{state.name}: catches {name}"
        for name in sorted(state.caught & state.retried):
            yield f"{state.name}: retries and then catches {name}"


def permanent_errors_are_quarantined(machine: Machine, declared: Declared) -> Iterator[str]:
    """No way leads from a permanent error past Quarantine."""
    for scope in machine.scopes:
        for state in scope.states.values():
            for catcher in state.catchers:
                if not declared.permanent & frozenset(catcher["ErrorEquals"]):
                    continue
                for end in scope.ends(catcher["Next"], avoiding=(QUARANTINE,)):
                    yield f"{state.name}: a permanent error gets to {end.name} past {QUARANTINE}"


def caught_errors_end_in_fail(machine: Machine, declared: Declared) -> Iterator[str]:
    """Unless the fallback model or fresh weights turn up, a caught error fails the execution."""
    detours = (
        (declared.permanent, ()),
        (declared.capacity | OUT_OF_CAPACITY, (FALLBACK,)),
        (declared.weights, (STAGE_ONCE,)),
    )
    for scope in machine.scopes:
        for state in scope.states.values():
            for catcher in state.catchers:
                for kind, avoiding in detours:
                    if kind & frozenset(catcher["ErrorEquals"]):
                        yield from _not_failing(scope, state, catcher["Next"], avoiding)


def _not_failing(
    scope: Scope, state: State, start: str, avoiding: tuple[str, ...]
) -> Iterator[str]:
    ends = scope.ends(start, avoiding=avoiding)
    if not ends:
        yield f"{state.name}: what it catches at {start} has no end"
    for end in ends:
        if end.type != "Fail":
            yield f"{state.name}: what it catches at {start} can end in {end.name}, no Fail state"


def failures_keep_their_name(machine: Machine, _declared: Declared) -> Iterator[str]:
    """A Fail state passes on the error it was led to by, not one of its own."""
    for state in machine.states:
        if state.type == "Fail" and not {"ErrorPath", "CausePath"} <= state.body.keys():
            yield f"{state.name}: a Fail state without ErrorPath and CausePath"


RULES: Final = (
    nothing_is_caught_by_wildcard,
    permanent_errors_are_caught,
    capacity_errors_are_caught,
    redrivable_errors_stay_uncaught,
    permanent_errors_are_quarantined,
    caught_errors_end_in_fail,
    failures_keep_their_name,
)
