"""Histories of state machines: run by the local cloud's interpreter, or written event by event."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pipeline.operations.console.states import History, StateVisit

START: Final = datetime(2026, 10, 1, tzinfo=UTC)
ROLE: Final = "arn:aws:iam::123456789012:role/r"


def run(states: Any, definition: Mapping[str, Any], given: Any) -> list[StateVisit]:
    """Run a machine to its end, and return the states of its execution."""
    text = json.dumps(definition)
    machine = states.create_state_machine(name=uuid.uuid4().hex, roleArn=ROLE, definition=text)
    arn = states.start_execution(
        stateMachineArn=machine["stateMachineArn"], input=json.dumps(given)
    )["executionArn"]
    while (told := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(0.02)
    history = History(text)
    for event in states.get_execution_history(executionArn=arn)["events"]:
        history.add(event)
    history.end(told["status"], told.get("error"), told.get("cause"), told["stopDate"])
    return history.visits


class Written:
    """Events as AWS numbers them, a second apart; `after` is the event before in the branch."""

    def __init__(self) -> None:
        self._events: list[dict[str, Any]] = []

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._events)

    def add(self, kind: str, after: int | None = None, **details: Any) -> int:
        number = len(self._events) + 1
        name = "stateEnteredEventDetails" if kind.endswith("Entered") else "otherEventDetails"
        name = "stateExitedEventDetails" if kind.endswith("Exited") else name
        self._events.append(
            {
                "id": number,
                "previousEventId": number - 1 if after is None else after,
                "type": kind,
                "timestamp": START + timedelta(seconds=number),
                name: details,
            }
        )
        return number


def read(definition: Mapping[str, Any], events: Written, *end: Any) -> list[StateVisit]:
    history = History(json.dumps(definition))
    for event in events:
        history.add(event)
    if end:
        history.end(*end)
    return history.visits


def told(visits: list[StateVisit]) -> list[tuple[str, str, str]]:
    return [("/".join(each.path), each.name, each.status) for each in visits]
