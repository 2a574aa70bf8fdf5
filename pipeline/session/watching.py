"""Follow the executions of the products' state machines, through the public API."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from pipeline.declared.names import LOCAL_NAMES as NAMES
from pipeline.local.ends import task_ms
from pipeline.operations.executions import Execution, read_execution

if TYPE_CHECKING:
    from pipeline.declared.blueprint import Blueprint
    from pipeline.local.ends import Ends

_LIST_S: Final = 5.0  # in case that an end was not told
_PAGE: Final = 20


class Watched(Protocol):
    """A cloud of this process whose executions can be watched."""

    @property
    def blueprint(self) -> Blueprint: ...

    @property
    def ends(self) -> Ends: ...

    def client(self, service: str) -> Any: ...


class Watch:
    """Notices executions of the products' state machines as they end.

    The cloud tells of each end. Its executions are also listed every five seconds, in case that
    one was not told. A list says which executions have ended: only those are read.
    """

    def __init__(self, cloud: Watched) -> None:
        self._states = cloud.client("stepfunctions")
        self._machines = [each.machine for each in cloud.blueprint.products]
        self._told: queue.SimpleQueue[Execution] = queue.SimpleQueue()
        self._running: set[str] = set()
        self._noticed: set[str] = set()
        self._list_at = 0.0
        cloud.ends.listen(self._told.put)

    def ended(self) -> Iterator[Execution]:
        """Yield every execution that has ended since the last call."""
        if time.monotonic() >= self._list_at:
            self._list_at = time.monotonic() + _LIST_S
            for machine in self._machines:
                yield from self._listed(machine)
        with contextlib.suppress(queue.Empty):
            while True:
                yield from self._unless_noticed(self._told.get_nowait())

    def _unless_noticed(self, execution: Execution) -> Iterator[Execution]:
        self._running.discard(execution.arn)
        if execution.arn not in self._noticed and NAMES.machine_of(execution.arn) in self._machines:
            self._noticed.add(execution.arn)
            yield execution

    def _listed(self, machine: str) -> Iterator[Execution]:
        """Read what has ended, newest first, until a page has nothing new; then what else ran."""
        listed = self._states.get_paginator("list_executions").paginate(
            stateMachineArn=NAMES.machine_arn(machine), PaginationConfig={"PageSize": _PAGE}
        )
        missing = {arn for arn in self._running if NAMES.machine_of(arn) == machine}
        for page in listed:
            statuses = {row["executionArn"]: row["status"] for row in page["executions"]}
            missing -= statuses.keys()
            new = statuses.keys() - self._noticed - self._running
            self._running |= new
            for arn in [arn for arn in statuses if arn in self._running]:
                if statuses[arn] != "RUNNING":
                    yield from self._unless_noticed(describe(self._states, arn))
            if not new:
                break
        for arn in missing:
            execution = describe(self._states, arn)
            if not execution.running:
                yield from self._unless_noticed(execution)


def wait_for(cloud: Watched, arn: str) -> Execution:
    """Wait until an execution has ended, and read it."""
    states, told = cloud.client("stepfunctions"), threading.Event()
    cloud.ends.listen(lambda ended: told.set() if ended.arn == arn else None)
    while (execution := describe(states, arn)).running:
        told.wait(_LIST_S)
    return execution


def describe(states: Any, arn: str) -> Execution:
    """Read an execution; output and task times are empty until it has ended."""
    execution = read_execution(states, arn)
    if execution.running:
        return execution
    return replace(
        execution, task_ms=task_ms(states.get_execution_history(executionArn=arn)["events"])
    )
