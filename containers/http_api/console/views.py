"""Machines, executions and their states, logs, quarantine and containers as operators see them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

Status = Literal["running", "succeeded", "failed", "timed_out", "aborted"]
StateStatus = Literal["succeeded", "failed", "caught", "running", "aborted"]
REDRIVE: Final = "PENDING_REDRIVE"  # of a distributed Map's child only
STATUSES: Final[Mapping[str, Status]] = {
    "RUNNING": "running",
    REDRIVE: "running",
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "TIMED_OUT": "timed_out",
    "ABORTED": "aborted",
}


class View(BaseModel):
    """A part of an answer. A field that does not apply is null."""

    model_config = ConfigDict(frozen=True)


class ExecutionId(View):
    """An execution, by the name of its machine and its own."""

    machine: str
    name: str


class LastExecution(View):
    """The status of a machine's latest execution, and since when it has it."""

    status: Status
    at: datetime


class Machine(View):
    """A state machine.

    `running` is the number of its running executions, at most 1,000. `scheduled` says how often it
    starts by itself, such as `15 minutes`. One that is `startable` can be started with an input.
    """

    name: str
    comment: str
    product: str | None
    scheduled: str | None
    startable: bool
    running: int
    last: LastExecution | None


class Machines(View):
    items: tuple[Machine, ...]


class InputExample(View):
    title: str
    input: Any


class MachineDetails(View):
    """A machine's definition in the Amazon States Language, as it is deployed, and its inputs.

    `input_schema` is a JSON Schema (2020-12); null for a machine that operators cannot start here.
    """

    name: str
    comment: str
    definition: dict[str, Any]
    input_schema: dict[str, Any] | None
    examples: tuple[InputExample, ...]


class ListedExecution(View):
    """An execution in a list. `key` is that of the object that it processes."""

    machine: str
    name: str
    status: Status
    started_at: datetime
    ended_at: datetime | None
    duration_ms: int | None
    error: str | None
    key: str | None
    product: str | None


class Executions(View):
    """Executions, latest first. With a `cursor`, there are more: ask again with it."""

    items: tuple[ListedExecution, ...]
    cursor: str | None


class AttemptError(View):
    """Why an attempt of a state failed."""

    error: str
    cause: str
    at: datetime


class State(View):
    """One stay in a state. `path` names the iterations and branches around it.

    One that was `caught` failed, and the execution went on elsewhere. `attempts` counts the tries
    of a task, a Map or a Parallel. With `shortened`, parts of `input` or `output` are
    left out.
    """

    name: str
    path: str
    type: str
    status: StateStatus
    entered_at: datetime
    ended_at: datetime | None
    duration_ms: int | None
    attempts: int
    errors: tuple[AttemptError, ...]
    input: Any
    output: Any
    shortened: bool
    child: ExecutionId | None


class Can(View):
    """What an operator can do with an execution now."""

    stop: bool
    redrive: bool
    replay: bool


class ExecutionDetails(View):
    """An execution, and the states that it entered, in order.

    `truncated` is true if something is left out: of `input` or `output`, which `shortened` names,
    or states. With a `cursor`, there are more states: ask again with it.
    """

    machine: str
    name: str
    trace_id: str
    status: Status
    started_at: datetime
    ended_at: datetime | None
    duration_ms: int | None
    input: Any
    output: Any
    error: str | None
    cause: str | None
    started_by: ExecutionId | None
    can: Can
    truncated: bool
    shortened: tuple[Literal["input", "output"], ...]
    states: tuple[State, ...]
    cursor: str | None


class LogLine(View):
    """A line that a container logged. `fields` are those that the others do not name."""

    at: datetime
    container: str
    level: str
    message: str
    error: str | None
    fields: dict[str, Any]


class Logs(View):
    """Lines of one execution, oldest first. With a `cursor`, there are more: ask again with it.

    One that is not `complete` lacks lines, because searching took too long.
    """

    lines: tuple[LogLine, ...]
    complete: bool
    cursor: str | None


class QuarantinedJob(View):
    """A job in quarantine: why, what to do, and the options that its input named.

    Options that no product would take may be shortened: they are too many, or nested too deep.
    """

    id: str
    error: str
    message: str
    hint: str
    key: str
    product: str
    at: datetime
    options: dict[str, Any]


class Quarantine(View):
    """Jobs in quarantine. With a `cursor`, there are more: ask again with it."""

    items: tuple[QuarantinedJob, ...]
    cursor: str | None


class LiveVersion(View):
    """The version that answers calls."""

    version: str
    digest: str
    at: datetime | None


class Release(View):
    """A container's last release; `name` is that of its execution."""

    name: str
    status: str
    error: str | None
    at: datetime


class ContainerModel(View):
    """A model of a container. `job` is its job definition of AWS Batch, if it can run there."""

    name: str
    compute: Literal["lambda", "batch"]
    memory_mb: int
    job: str | None


class Container(View):
    """A container. `version` is the live one, or without releases the one of this deployment."""

    name: str
    version: str | None
    live: LiveVersion | None
    last_release: Release | None
    models: tuple[ContainerModel, ...]


class Containers(View):
    items: tuple[Container, ...]
