"""Upload photos to the ingest bucket and follow their executions, through the public API."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.local.deployment import NAMES
from pipeline.operations.executions import Execution, read_execution

if TYPE_CHECKING:
    from pipeline.local.cloud import LocalCloud

_POLL_S: Final = 0.25
_PAGE: Final = 10


def drop(cloud: LocalCloud, path: Path, key: str, metadata: Mapping[str, str]) -> None:
    """Upload one photo to the ingest bucket."""
    cloud.client("s3").upload_file(
        str(path), NAMES.bucket("ingest"), key, ExtraArgs={"Metadata": dict(metadata)}
    )


class Watch:
    """Notices executions of the products' state machines as they end, with few calls."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._states = cloud.client("stepfunctions")
        self._machines = [NAMES.machine_arn(each.machine) for each in cloud.blueprint.products]
        self._running: set[str] = set()
        self._known: set[str] = set()

    def ended(self) -> Iterator[Execution]:
        """Yield every execution that has ended since the last call."""
        for machine_arn in self._machines:
            self._discover(machine_arn)
        for arn in sorted(self._running):
            execution = describe(self._states, arn)
            if execution.status != "RUNNING":
                self._running.remove(arn)
                yield execution

    def _discover(self, machine_arn: str) -> None:
        """Read the state machine's executions, newest first, until a page has no new one."""
        listed = self._states.get_paginator("list_executions").paginate(
            stateMachineArn=machine_arn, PaginationConfig={"PageSize": _PAGE}
        )
        for page in listed:
            new = {row["executionArn"] for row in page["executions"]} - self._known
            self._known |= new
            self._running |= new
            if not new:
                return


def finished(cloud: LocalCloud, keys: Sequence[str]) -> Iterator[Execution]:
    """Yield the execution of each key as it ends, in any order."""
    waiting, watch = set(keys), Watch(cloud)
    while waiting:
        for execution in watch.ended():
            if execution.key in waiting:
                waiting.remove(execution.key)
                yield execution
        if waiting:
            time.sleep(_POLL_S)


def describe(states: Any, arn: str) -> Execution:
    """Read an execution; output and task times are empty until it has ended."""
    execution = read_execution(states, arn)
    if execution.running:
        return execution
    return replace(execution, task_ms=_task_ms(states, arn))


def _task_ms(states: Any, arn: str) -> dict[str, float]:
    """Return the milliseconds in each Task state, including retries and waits."""
    events = states.get_execution_history(executionArn=arn)["events"]
    entered: dict[str, float] = {}
    spent: dict[str, float] = {}
    for event in events:
        at = event["timestamp"].timestamp() * 1000
        if event["type"] == "TaskStateEntered":
            entered[event["stateEnteredEventDetails"]["name"]] = at
        elif event["type"] == "TaskStateExited":
            name = event["stateExitedEventDetails"]["name"]
            spent[name] = spent.get(name, 0) + at - entered[name]
    return spent
