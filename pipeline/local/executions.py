"""Drop photos into the ingest bucket and follow what happens to them, through the public API."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pipeline.local.cloud import LocalCloud
from pipeline.local.deployment import bucket, machine_arn

_POLL_S: Final = 0.05


@dataclass(frozen=True)
class Execution:
    """A finished execution. `error` and `cause` are None unless it failed."""

    arn: str
    status: str
    input: Mapping[str, Any]
    output: Any
    error: str | None
    cause: str | None
    task_ms: Mapping[str, float]

    @property
    def key(self) -> str:
        """The key of the photo, whichever way the execution was started."""
        if "detail" in self.input:
            return str(self.input["detail"]["object"]["key"])
        return str(self.input["key"])

    @cached_property
    def reason(self) -> str:
        """The error in one line a person can read: name, what happened, what to do."""
        name, cause = self.error or "", self.cause or ""
        while cause.startswith("{"):
            inner = json.loads(cause)
            name = inner.get("errorType") or inner.get("Error") or name
            cause = inner.get("errorMessage") or inner.get("Cause") or ""
        return f"{name}: {'. '.join(cause.splitlines())}"


def drop(cloud: LocalCloud, path: Path, key: str, metadata: Mapping[str, str]) -> None:
    """Put one photo into the ingest bucket."""
    cloud.client("s3").upload_file(
        str(path), bucket("ingest"), key, ExtraArgs={"Metadata": dict(metadata)}
    )


def finished(cloud: LocalCloud, keys: Sequence[str]) -> Iterator[Execution]:
    """The execution of each key, as it ends, in any order."""
    waiting = set(keys)
    seen: set[str] = set()
    while waiting:
        for execution in ended(cloud, seen):
            if execution.key in waiting:
                waiting.remove(execution.key)
                yield execution
        if waiting:
            time.sleep(_POLL_S)


def ended(cloud: LocalCloud, seen: set[str]) -> Iterator[Execution]:
    """Every ended execution whose ARN is not in `seen`; adds it there."""
    states = cloud.client("stepfunctions")
    for arn in _ended_arns(states):
        if arn not in seen:
            seen.add(arn)
            yield describe(states, arn)


def describe(states: Any, arn: str) -> Execution:
    """Read a finished execution."""
    told = states.describe_execution(executionArn=arn)
    return Execution(
        arn=arn,
        status=told["status"],
        input=json.loads(told["input"]),
        output=json.loads(told.get("output") or "{}"),
        error=told.get("error"),
        cause=told.get("cause"),
        task_ms=_task_ms(states.get_execution_history(executionArn=arn)["events"]),
    )


def _ended_arns(states: Any) -> Iterator[str]:
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=machine_arn("cutout"))
    for page in pages:
        for execution in page["executions"]:
            if execution["status"] != "RUNNING":
                yield execution["executionArn"]


def _task_ms(events: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Milliseconds in each Task state, retries and waiting included."""
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
