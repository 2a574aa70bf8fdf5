"""Executions as Step Functions tells them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from pipeline.artifacts import Location
from pipeline.errors import PermanentError, leaf_names
from pipeline.operations.site import Site


@dataclass(frozen=True)
class Execution:
    """An execution. `error` and `cause` are None unless it failed."""

    arn: str
    status: str
    input: Any
    output: Any
    error: str | None
    cause: str | None
    task_ms: Mapping[str, float] = field(default_factory=dict)
    started: datetime | None = None
    ended: datetime | None = None

    @property
    def name(self) -> str:
        return self.arn.rpartition(":")[2]

    @property
    def running(self) -> bool:
        return self.status == "RUNNING"

    @property
    def photo(self) -> Location | None:
        return photo_of(self.input)

    @property
    def key(self) -> str:
        """The key of the photo; empty if it has none."""
        return self.photo.key if self.photo else ""

    @property
    def forced(self) -> bool:
        return isinstance(self.input, dict) and self.input.get("force") is True

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


def photo_of(execution_input: Any) -> Location | None:  # noqa: ANN401 - JSON
    """The object an input is about, whichever way it is written; None if it names none."""
    match execution_input:
        case {"detail": {"bucket": {"name": str(bucket)}, "object": {"key": str(key), **rest}}}:
            return Location(bucket, key, _text(rest.get("version-id")))
        case {"bucket": str(bucket), "key": str(key), **rest}:
            return Location(bucket, key, _text(rest.get("version_id")))
        case _:
            return None


def read_execution(states: Any, arn: str) -> Execution:  # noqa: ANN401
    """One execution, without its history; ExecutionDoesNotExist if AWS has forgotten it."""
    told = states.describe_execution(executionArn=arn)
    return Execution(
        arn=arn,
        status=told["status"],
        input=json.loads(told["input"]),
        output=json.loads(told.get("output") or "{}"),
        error=told.get("error"),
        cause=told.get("cause"),
        started=told["startDate"],
        ended=told.get("stopDate"),
    )


def find_execution(site: Site, arn: str) -> Execution | None:
    """The same, or None if there is no such execution, or none any more."""
    states = site.client("stepfunctions")
    try:
        return read_execution(states, arn)
    except (states.exceptions.ExecutionDoesNotExist, states.exceptions.InvalidArn):
        return None


def executions_since(site: Site, since: datetime) -> Iterator[Execution]:
    """Every execution of the cutout machine started since then, newest first."""
    states = site.client("stepfunctions")
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=site.machine_arn)
    for page in pages:
        for row in page["executions"]:
            if row["startDate"] < since:
                return
            yield read_execution(states, row["executionArn"])


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _as_object(text: str) -> dict[str, Any]:
    """The JSON object a cause may be, or nothing: anybody may stop an execution with any words."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
