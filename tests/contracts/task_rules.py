"""Rules that hold a state machine's tasks against their contracts and manifests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from pipeline.contracts.contract import Contract
from pipeline.declared.placeholders import fill
from tests.contracts.asl import Machine, State, expressions, paths, placeholders
from tests.contracts.declared import Declared, function_name, machine_timeouts, wire_fields
from tests.contracts.roles import Role

# So that the function's own timeout ends a call, and its name is the one that is caught.
_MARGIN_S: Final = 15
_WHOLE: Final = frozenset({"$", "$$"})
# The task of a role that reads the execution's input.
_READS_INPUT: Final[Mapping[Role, str]] = {
    Role.PRODUCT: "Inspect",
    Role.PREPARING: "Inspect",
    Role.RELEASE: "ReadRequest",
    Role.COLLECTING: "CheckRequest",
}
_RESULT: Final = "$.Payload."
# Machines that need not wait for what they start: it has an alarm of its own.
_SEND_OFF: Final = frozenset({Role.REAPING, Role.NOTIFYING, Role.COMPACTING})
# The states of a product's machine that need not wait either: what they start is another's job.
HAND_OVER: Final = "HandOver"
_FORGET: Final = "ForgetPhoto"


def functions_exist(machine: Machine, declared: Declared) -> Iterator[str]:
    """A Lambda task invokes the live alias of one container's function, or of one per model.

    The platform's own functions have no alias: they are not released.
    """
    for task in machine.lambda_tasks:
        container = declared.container_of(task)
        name = function_name(task)
        if declared.operation_of(task):
            if not name.endswith("Arn}"):
                yield f"{task.name}: {name!r} is an operation's, which has no alias"
            continue
        if container is None:
            yield f"{task.name}: {name!r} is no container's function"
        elif container.function_per_model != ("}-{}:live'" in name):
            yield f"{task.name}: {name!r} does not fit function_per_model of {container.name}"
        if ":live" not in name:
            yield f"{task.name}: {name!r} is not the live alias"


def payloads_fit_the_job(machine: Machine, declared: Declared) -> Iterator[str]:
    """All required fields of the job, no unknown ones, each named in the payload itself."""
    for task in machine.lambda_tasks:
        pair = declared.task_of(task)
        known = wire_fields(pair.job) if pair else {}
        required = {name for name, field in known.items() if field.is_required()}
        given = {name.removesuffix(".$") for name in task.payload}
        for name in sorted(required - given):
            yield f"{task.name}: the payload lacks {name!r}"
        for name in sorted(given - known.keys()):
            yield f"{task.name}: the job has no field {name!r}"


def literals_fit_the_job(machine: Machine, declared: Declared) -> Iterator[str]:
    """What the payload says itself, `schema` first of all, is accepted by the job's type."""
    for task in machine.lambda_tasks:
        pair = declared.task_of(task)
        if pair:
            yield from _refused_literals(task, pair.job, declared.substitutions)


def _refused_literals(
    task: State, job: type[Contract], substitutions: Mapping[str, str]
) -> Iterator[str]:
    known = wire_fields(job)
    for name, value in task.payload.items():
        if name not in known:
            continue
        literal = _filled(value, substitutions)
        kind: Any = known[name].annotation
        try:
            TypeAdapter(kind).validate_python(literal, strict=True)
        except ValidationError:
            yield f"{task.name}: {name!r} may not be {value!r}"


def _filled(value: object, substitutions: Mapping[str, str]) -> object:
    if isinstance(value, str) and set(placeholders(value)) <= substitutions.keys():
        return fill(value, substitutions)
    return value


def results_fit_what_is_read(machine: Machine, declared: Declared) -> Iterator[str]:
    """A ResultSelector names every field it takes, and the result has each of them."""
    for task in machine.lambda_tasks:
        pair = declared.task_of(task)
        known = wire_fields(pair.result) if pair else {}
        selector = task.body.get("ResultSelector")
        if not selector:
            yield f"{task.name}: no ResultSelector"
        for path in _paths(selector):
            name = path.removeprefix(_RESULT).split(".")[0]
            if not path.startswith(_RESULT) or name not in known:
                yield f"{task.name}: the result has no field at {path}"


def results_are_read_once(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Past its ResultSelector nobody sees that a result came out of a function."""
    for state in machine.states:
        rest = {name: value for name, value in state.own.items() if name != "ResultSelector"}
        if any(path.startswith(_RESULT) for path in _paths(rest)):
            yield f"{state.name}: reads {_RESULT} outside a ResultSelector"


def nobody_is_sent_the_whole_state(machine: Machine, declared: Declared) -> Iterator[str]:
    """Only the task that reads the execution's input is given it untouched."""
    granted = (_READS_INPUT.get(declared.role_of(machine)), "input.$")
    for task in machine.tasks:
        parameters = dict(task.parameters)
        if not parameters:
            yield f"{task.name}: no Parameters, so everything is sent"
        if task.service == "lambda" and not task.payload:
            yield f"{task.name}: the payload is not written field by field"
        parameters["Payload"] = {
            name: value for name, value in task.payload.items() if (task.name, name) != granted
        }
        if any(expression in _WHOLE for expression in expressions(parameters)):
            yield f"{task.name}: is sent the whole state"


def everything_times_out(machine: Machine, _declared: Declared) -> Iterator[str]:
    if not _positive(machine.definition.get("TimeoutSeconds")):
        yield "the machine has no TimeoutSeconds"
    for task in machine.tasks:
        if not _positive(task.body.get("TimeoutSeconds")):
            yield f"{task.name}: no TimeoutSeconds"


def functions_time_out_first(machine: Machine, declared: Declared) -> Iterator[str]:
    for task in machine.lambda_tasks:
        least = declared.timeout_of(task) + _MARGIN_S
        if task.body.get("TimeoutSeconds", 0) < least:
            yield f"{task.name}: TimeoutSeconds below {least}, its function's and {_MARGIN_S} more"


def children_time_out_first(machine: Machine, declared: Declared) -> Iterator[str]:
    """A task that starts a machine waits for as long as that may run, or wants nothing of it."""
    role = declared.role_of(machine)
    for task in machine.tasks:
        sends_off = role in _SEND_OFF or (
            role is Role.PRODUCT and task.name in {HAND_OVER, _FORGET}
        )
        started = [task.parameters.get(f"StateMachineArn{end}", "") for end in ("", ".$")]
        for name in placeholders(started):
            least = declared.machine_timeouts.get(name, 0)
            if sends_off and task.body.get("ResultPath", "$") is None:
                continue
            if not task.resource.endswith(".sync:2"):
                yield f"{task.name}: does not wait for the machine it starts"
            if task.body.get("TimeoutSeconds", 0) < least:
                yield f"{task.name}: TimeoutSeconds below the {least} of the machine it waits for"


def the_lease_outlives_the_execution(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Exactly: shorter, two executions work on one job; longer, a dead one blocks it."""
    (timeout_s,) = machine_timeouts((machine,)).values()
    for task in machine.lambda_tasks:
        lease_s = task.payload.get("lease_s", timeout_s)
        if lease_s != timeout_s:
            yield f"{task.name}: lease_s is {lease_s}, the machine's TimeoutSeconds {timeout_s}"


def _paths(value: Any) -> Iterator[str]:
    return (path for expression in expressions(value) for path in paths(expression))


def _positive(value: object) -> bool:
    return isinstance(value, int) and value > 0


RULES: Final = (
    functions_exist,
    payloads_fit_the_job,
    literals_fit_the_job,
    results_fit_what_is_read,
    results_are_read_once,
    nobody_is_sent_the_whole_state,
    everything_times_out,
    functions_time_out_first,
    children_time_out_first,
    the_lease_outlives_the_execution,
)
