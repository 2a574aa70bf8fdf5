"""Read one execution with the states that it entered, while it runs or after its end."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pipeline.operations.console.states import History, StateVisit
from pipeline.operations.site import Site

_PAGE: Final = 500  # events: each may have an input of 256 KB
_LONGEST_S: Final = 15.0  # of reading a history: the API answers within 29


@dataclass(frozen=True)
class ReadExecution:
    """An execution as Step Functions describes it. `given` and `output` are JSON texts."""

    machine: str
    name: str
    arn: str
    status: str
    started: datetime
    ended: datetime | None
    given: str
    output: str | None
    error: str | None
    cause: str | None


@dataclass(frozen=True)
class ReadHistory:
    """The states that an execution entered, in order; not all if reading took too long."""

    visits: Sequence[StateVisit]
    complete: bool


def find_execution(site: Site, machine: str, name: str) -> ReadExecution | None:
    """Read an execution; None if there never was one, or Step Functions has deleted it."""
    states, arn = site.client("stepfunctions"), site.names.execution_arn(machine, name)
    missing = (
        states.exceptions.ExecutionDoesNotExist,
        states.exceptions.InvalidArn,
        states.exceptions.StateMachineDoesNotExist,
    )
    try:
        told = states.describe_execution(executionArn=arn)
    except missing:
        return None
    return ReadExecution(
        machine=machine,
        name=name,
        arn=arn,
        status=told["status"],
        started=told["startDate"],
        ended=told.get("stopDate"),
        given=told.get("input", "{}"),
        output=told.get("output"),
        error=told.get("error"),
        cause=told.get("cause"),
    )


def read_states(
    site: Site, execution: ReadExecution, *, longest_s: float = _LONGEST_S
) -> ReadHistory:
    """Read the history of an execution: at most 25,000 events, for at most so many seconds."""
    history = History(_definition(site, execution.arn))
    states, ends_at = site.client("stepfunctions"), time.monotonic() + longest_s
    asked: dict[str, Any] = {"executionArn": execution.arn, "maxResults": _PAGE}
    while True:
        page = states.get_execution_history(**asked)
        for event in page["events"]:
            history.add(event)
        if "nextToken" not in page:
            break
        if time.monotonic() > ends_at:
            return ReadHistory(history.visits, complete=False)
        asked["nextToken"] = page["nextToken"]
    if execution.ended:
        history.end(execution.status, execution.error, execution.cause, execution.ended)
    return ReadHistory(history.visits, complete=True)


@functools.lru_cache(maxsize=64)
def _definition(site: Site, arn: str) -> str:
    """Return the definition that an execution was started with; it does not change."""
    states = site.client("stepfunctions")
    told = states.describe_state_machine_for_execution(executionArn=arn)
    return str(told["definition"])
