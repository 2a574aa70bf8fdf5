"""Rules on what is caught, and where it leads: for every machine, and for product machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from tests.contracts.asl import Machine, Scope, State
from tests.contracts.declared import Declared
from tests.contracts.roles import Role

# States that product machines have by these names, if they have them.
QUARANTINE: Final = "Quarantine"
# What every permanent error passes in machines of these roles, in place of a quarantine.
_REFUSALS: Final[Mapping[Role, str]] = {Role.PREPARING: "Refused"}
FALLBACKS: Final = frozenset({"UseFallback", "UseDiarizersJobs", "UseAlignersJobs"})
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
NEED_A_PERSON: Final = frozenset({"WeightsMismatch", "ModelNotOffered"})
WILDCARDS: Final = frozenset({"States.ALL", "States.TaskFailed"})


def nothing_is_caught_by_wildcard(machine: Machine, _declared: Declared) -> Iterator[str]:
    """A failed job of AWS Batch has no other name than a wildcard's."""
    for state in machine.states:
        own = {"States.TaskFailed"} if state.service == "batch" else set[str]()
        for name in sorted(state.caught & WILDCARDS - own):
            yield f"{state.name}: catches {name}"


def permanent_errors_are_caught(machine: Machine, declared: Declared) -> Iterator[str]:
    """Of every Lambda task, exactly the permanent errors that the machine's tasks can raise.

    The task catches them, or a Map or Parallel that it is in. No other error is caught with them.
    """
    permanent = declared.permanent & declared.raised_by(machine)
    for task in machine.lambda_tasks:
        for name in sorted(permanent - _caught_around(machine, task)):
            yield f"{task.name}: {name} is not caught"
        for names in _sets_caught_with(machine, task, permanent):
            for name in sorted(names - permanent):
                yield f"{task.name}: {name} is caught as if it were permanent"


def capacity_errors_are_caught(machine: Machine, declared: Declared) -> Iterator[str]:
    """Once the job is claimed, every way in which a function is too small is caught, together.

    The first state has no job yet, and nothing smaller to try.
    """
    capacity = (declared.capacity & declared.raised_by(machine)) | OUT_OF_CAPACITY
    for task in machine.tasks:
        claimed = task.service == "lambda" and task.name != machine.definition["StartAt"]
        expected = capacity if claimed else frozenset()
        for name in sorted(expected - _caught_around(machine, task)):
            yield f"{task.name}: {name} is not caught"
        for name in sorted(task.caught & capacity - expected):
            yield f"{task.name}: catches {name}, which has no way on from here"
        for names in _sets_caught_with(machine, task, capacity):
            for name in sorted(names - capacity):
                yield f"{task.name}: {name} is caught as if the function were too small"


def a_fallback_is_for_the_function_that_was_too_small(
    machine: Machine, declared: Declared
) -> Iterator[str]:
    """Only one container's tasks are around a Catch that leads to the fallback model.

    An error does not say which task raised it: those of other containers are caught before.
    """
    capacity = (declared.capacity & declared.raised_by(machine)) | OUT_OF_CAPACITY
    for scope in machine.scopes:
        for state in scope.states.values():
            for catcher in state.catchers:
                leads = FALLBACKS & scope.reachable(catcher["Next"], avoiding=(STAGE_ONCE,))
                if not leads or not capacity & frozenset(catcher["ErrorEquals"]):
                    continue
                named = {
                    container.name
                    for task in machine.lambda_tasks
                    if _passes_on(machine, task, state, capacity)
                    if (container := declared.container_of(task))
                }
                if len(named) > 1:
                    yield f"{state.name}: a fallback model for {', '.join(sorted(named))}"


def _passes_on(machine: Machine, task: State, state: State, errors: frozenset[str]) -> bool:
    """Return True if some of the errors of `task` get to `state`: nothing on the way has them."""
    around = [task, *machine.enclosing(task)]
    if state not in around:
        return False
    inside = around[: around.index(state)]
    return not errors <= frozenset().union(*(each.caught for each in inside))


def _caught_around(machine: Machine, task: State) -> frozenset[str]:
    return frozenset().union(*(each.caught for each in (task, *machine.enclosing(task))))


def _sets_caught_with(
    machine: Machine, task: State, kind: frozenset[str]
) -> Iterator[frozenset[str]]:
    for state in (task, *machine.enclosing(task)):
        for catcher in state.catchers:
            names = frozenset(catcher["ErrorEquals"])
            if names & kind:
                yield names


def redrivable_errors_stay_uncaught(machine: Machine, declared: Declared) -> Iterator[str]:
    """A caught state is not failed, so Redrive cannot resume it; some errors need a person.

    What is not delivered is a dead letter in the end, which an operator sends again.
    """
    redrivable = declared.transient | declared.deployment | NEED_A_PERSON
    for state in machine.states if declared.role_of(machine) is not Role.DELIVERING else ():
        for name in sorted(state.caught & redrivable):
            yield f"{state.name}: catches {name}"
        for name in sorted(state.caught & state.retried):
            yield f"{state.name}: retries and then catches {name}"


def permanent_errors_are_quarantined(machine: Machine, declared: Declared) -> Iterator[str]:
    """No way leads from a permanent error past Quarantine, or past what stands for it."""
    gate = _REFUSALS.get(declared.role_of(machine), QUARANTINE)
    for scope in machine.scopes:
        for state in scope.states.values():
            for catcher in state.catchers:
                if not declared.permanent & frozenset(catcher["ErrorEquals"]):
                    continue
                for end in scope.ends(catcher["Next"], avoiding=(gate,)):
                    yield f"{state.name}: a permanent error gets to {end.name} past {gate}"


def caught_errors_end_in_fail(machine: Machine, declared: Declared) -> Iterator[str]:
    """Unless the fallback model or fresh weights turn up, a caught error fails the execution.

    A receiver's failure is not one of the execution that sent to it.
    """
    if declared.role_of(machine) is Role.DELIVERING:
        return
    detours = (
        (declared.permanent, ()),
        (declared.capacity | OUT_OF_CAPACITY, tuple(FALLBACKS)),
        (declared.weights, (STAGE_ONCE,)),
    )
    for scope in machine.scopes:
        for state in scope.states.values():
            for catcher in state.catchers:
                for kind, avoiding in detours:
                    if kind & frozenset(catcher["ErrorEquals"]):
                        yield from _not_failing(machine, scope, state, catcher["Next"], avoiding)


def _not_failing(
    machine: Machine, scope: Scope, state: State, start: str, avoiding: tuple[str, ...]
) -> Iterator[str]:
    ends = scope.ends(start, avoiding=avoiding)
    if not ends:
        yield f"{state.name}: what it catches at {start} has no end"
    for end in ends:
        handed_on = _handed_on(machine, scope, end)
        if handed_on:
            yield from _not_failing(machine, handed_on[0], state, handed_on[1], avoiding)
        elif end.type != "Fail":
            yield f"{state.name}: what it catches at {start} can end in {end.name}, no Fail state"


def _handed_on(machine: Machine, scope: Scope, end: State) -> tuple[Scope, str] | None:
    """Return the scope and the state that go on with an error that a branch has for its result.

    The state after the Parallel asks for the error. None if it does not, or `end` leaves none.
    """
    around = next((each for each in machine.scopes if scope.owner in each.states), None)
    if around is None or end.parameters.get("error.$") != "$.error":
        return None
    parallel = around.states[scope.owner].body
    (branch,) = (at for at, body in enumerate(parallel["Branches"]) if body is scope.body)
    for name, path in parallel.get("ResultSelector", {}).items():
        place = f"{parallel.get('ResultPath', '$')}.{name.removesuffix('.$')}.error"
        for rule in around.states[parallel["Next"]].body.get("Choices", ()):
            asks = {"Variable": place, "IsNull": False}.items() <= rule.items()
            if path == f"$[{branch}]" and asks:
                return around, rule["Next"]
    return None


def failures_keep_their_name(machine: Machine, _declared: Declared) -> Iterator[str]:
    """A Fail state passes on the error it was led to by, not one of its own."""
    for state in machine.states:
        if state.type == "Fail" and not {"ErrorPath", "CausePath"} <= state.body.keys():
            yield f"{state.name}: a Fail state without ErrorPath and CausePath"


RULES: Final = (
    nothing_is_caught_by_wildcard,
    redrivable_errors_stay_uncaught,
    permanent_errors_are_quarantined,
    caught_errors_end_in_fail,
    failures_keep_their_name,
)
OF_PRODUCTS: Final = (
    permanent_errors_are_caught,
    capacity_errors_are_caught,
    a_fallback_is_for_the_function_that_was_too_small,
)
