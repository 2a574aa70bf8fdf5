"""Tell this process of each execution that ends, so that nobody has to ask again and again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from pipeline.operations.executions import Execution

Listener = Callable[[Execution], None]


class Ends:
    """Calls every listener with each execution that ends, in the interpreter's thread.

    By then, DescribeExecution says that it has ended. Executions that ended before are not told.
    """

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def tell(self, ended: Any) -> None:
        """Tell the listeners of an execution of moto's that has ended."""
        execution = _read(ended)
        for listener in self._listeners:
            listener(execution)


def _read(ended: Any) -> Execution:
    """Return an ended execution of moto's as DescribeExecution does, with its tasks' times."""
    told = ended.to_describe_output()
    return Execution(
        arn=told["executionArn"],
        status=ended.status,
        input=json.loads(told["input"]),
        output=json.loads(told.get("output") or "{}"),
        error=told.get("error"),
        cause=told.get("cause"),
        task_ms=task_ms(ended.to_history_output()["events"]),
        started=told["startDate"],
        ended=told["stopDate"],
    )


def task_ms(events: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return the milliseconds in which each Task state ran, including retries and waits.

    A state of a Map may run several times at once: that time counts once.
    """
    entered: dict[str, float] = {}
    running: Counter[str] = Counter()
    spent: dict[str, float] = {}
    for event in events:
        if event["type"] == "TaskStateEntered":
            name = event["stateEnteredEventDetails"]["name"]
            if not running[name]:
                entered[name] = _ms(event["timestamp"])
            running[name] += 1
        elif event["type"] == "TaskStateExited":
            name = event["stateExitedEventDetails"]["name"]
            running[name] -= 1
            if not running[name]:
                spent[name] = spent.get(name, 0) + _ms(event["timestamp"]) - entered[name]
    return spent


def _ms(moment: datetime | str) -> float:
    """Return a time in milliseconds; moto has it as text."""
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return at.timestamp() * 1000
