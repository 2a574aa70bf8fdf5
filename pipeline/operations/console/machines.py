"""Describe the deployment's state machines: their definitions, and how their executions go."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from pipeline.operations.console.recent import recent
from pipeline.operations.site import Site

MOST_RUNNING: Final = 1_000  # that are counted: one page of Step Functions
_AT_ONCE: Final = 8  # requests: the services throttle a whole account
Of = TypeVar("Of")
To = TypeVar("To")


@dataclass(frozen=True)
class MachineState:
    """A state machine with the number of its running executions, and its latest execution."""

    name: str
    comment: str
    running: int
    last_status: str | None = None
    last_at: datetime | None = None


@dataclass(frozen=True)
class Definition:
    """A state machine's definition in the Amazon States Language, as it is deployed."""

    text: str

    @property
    def value(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.text)
        return read

    @property
    def comment(self) -> str:
        return str(self.value.get("Comment", ""))


def at_once(do: Callable[[Of], To], each: Iterable[Of]) -> list[To]:
    """Return `do` of each, some at a time: every call waits for a service."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(do, each))


def machine_states(site: Site, machines: Iterable[str]) -> Sequence[MachineState]:
    """Return the machines that the deployment has, in this order."""

    def state(machine: str) -> MachineState | None:
        return recent(site, "state", machine, answer=lambda: _state(site, machine))

    return [each for each in at_once(state, machines) if each]


def find_definition(site: Site, machine: str) -> Definition | None:
    """Return a machine's definition; None if the deployment does not have it yet."""
    states = site.client("stepfunctions")
    try:
        told = states.describe_state_machine(stateMachineArn=site.machine_arn(machine))
    except states.exceptions.StateMachineDoesNotExist:
        return None
    return Definition(told["definition"])


def _state(site: Site, machine: str) -> MachineState | None:
    definition = find_definition(site, machine)
    if definition is None:
        return None
    states, arn = site.client("stepfunctions"), site.machine_arn(machine)
    running = states.list_executions(
        stateMachineArn=arn, statusFilter="RUNNING", maxResults=MOST_RUNNING
    )["executions"]
    latest = states.list_executions(stateMachineArn=arn, maxResults=1)["executions"]
    if not latest:
        return MachineState(machine, definition.comment, len(running))
    last = latest[0]
    at = last.get("stopDate") or last["startDate"]
    return MachineState(machine, definition.comment, len(running), last["status"], at)
