"""Drop photos into the ingest bucket and follow what happens to them, through the public API."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pipeline.errors import PermanentError, leaf_names
from pipeline.local.cloud import LocalCloud
from pipeline.local.deployment import NAMES

_POLL_S: Final = 0.25
_PAGE: Final = 10


@dataclass(frozen=True)
class Execution:
    """An execution. `error` and `cause` are None unless it failed."""

    arn: str
    status: str
    input: Any
    output: Any
    error: str | None
    cause: str | None
    task_ms: Mapping[str, float]

    @property
    def key(self) -> str:
        """The key of the photo, whichever way the execution was started; empty if it has none."""
        match self.input:
            case {"detail": {"object": {"key": str(key)}}} | {"key": str(key)}:
                return key
            case _:
                return ""

    @property
    def verdict(self) -> str:
        """DONE, DUPLICATE, QUARANTINED, or the status Step Functions gives a failure."""
        if self.status == "SUCCEEDED":
            return str(self.output["status"])
        return "QUARANTINED" if self.error in leaf_names(PermanentError) else self.status

    @cached_property
    def reason(self) -> str:
        """The error in one line a person can read: name, what happened, what to do."""
        name, cause = self.error or "", self.cause or ""
        while inner := _as_object(cause):
            name = inner.get("errorType") or inner.get("Error") or name
            cause = inner.get("errorMessage") or inner.get("Cause") or ""
        return f"{name}: {'. '.join(cause.splitlines())}"


def drop(cloud: LocalCloud, path: Path, key: str, metadata: Mapping[str, str]) -> None:
    """Put one photo into the ingest bucket."""
    cloud.client("s3").upload_file(
        str(path), NAMES.bucket("ingest"), key, ExtraArgs={"Metadata": dict(metadata)}
    )


class Watch:
    """Notices executions of the cutout machine as they end, asking as little as it can."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._states = cloud.client("stepfunctions")
        self._running: set[str] = set()
        self._known: set[str] = set()

    def ended(self) -> Iterator[Execution]:
        """Every execution that has ended since the last time."""
        self._discover()
        for arn in sorted(self._running):
            execution = describe(self._states, arn)
            if execution.status != "RUNNING":
                self._running.remove(arn)
                yield execution

    def _discover(self) -> None:
        """Read the list, newest first, until a page holds nothing new."""
        listed = self._states.get_paginator("list_executions").paginate(
            stateMachineArn=NAMES.machine_arn("cutout"), PaginationConfig={"PageSize": _PAGE}
        )
        for page in listed:
            new = {row["executionArn"] for row in page["executions"]} - self._known
            self._known |= new
            self._running |= new
            if not new:
                return


def finished(cloud: LocalCloud, keys: Sequence[str]) -> Iterator[Execution]:
    """The execution of each key, as it ends, in any order."""
    waiting, watch = set(keys), Watch(cloud)
    while waiting:
        for execution in watch.ended():
            if execution.key in waiting:
                waiting.remove(execution.key)
                yield execution
        if waiting:
            time.sleep(_POLL_S)


def describe(states: Any, arn: str) -> Execution:
    """Read an execution; times and output are there once it has ended."""
    told = states.describe_execution(executionArn=arn)
    return Execution(
        arn=arn,
        status=told["status"],
        input=json.loads(told["input"]),
        output=json.loads(told.get("output") or "{}"),
        error=told.get("error"),
        cause=told.get("cause"),
        task_ms={} if told["status"] == "RUNNING" else _task_ms(states, arn),
    )


def _as_object(text: str) -> dict[str, Any]:
    """The JSON object a cause may be, or nothing: anybody may stop an execution with any words."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _task_ms(states: Any, arn: str) -> dict[str, float]:
    """Milliseconds in each Task state, retries and waiting included."""
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
