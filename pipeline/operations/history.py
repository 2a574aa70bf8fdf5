"""Read an execution's history: one line for each state it entered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pipeline.operations.site import Site

_ENTERED: Final = "StateEntered"
_PAGE: Final = 1_000  # events: a Map of a hundred items has some thousands


@dataclass
class Visit:
    """One stay in a state, of a kind such as `Task`. `ms` is None if the state was not left.

    A Map has `items`, of which `done` are done.
    """

    state: str
    kind: str
    entered: datetime
    ms: float | None = None
    items: int | None = None
    done: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """`12 ms`, `StoreUnavailable ×2, then 800 ms`, `StoreUnavailable ×7, not left`."""
        failed = ", ".join(
            f"{name} ×{times}" if times > 1 else name
            for name, times in Counter(self.errors).items()
        )
        left = "not left" if self.ms is None else f"{self.ms:,.0f} ms"
        return f"{failed}, then {left}" if failed and self.ms is not None else failed or left


def read_history(site: Site, arn: str) -> list[Visit]:
    """Read every state that an execution entered, in order, with the errors of its tasks."""
    pages = (
        site.client("stepfunctions")
        .get_paginator("get_execution_history")
        .paginate(executionArn=arn, PaginationConfig={"PageSize": _PAGE})
    )
    return _visits(event for page in pages for event in page["events"])


def was_caught(site: Site, arn: str) -> bool:
    """Return True if the execution ended in a Fail state: a redrive would only end there again."""
    last = site.client("stepfunctions").get_execution_history(
        executionArn=arn, reverseOrder=True, maxResults=2
    )
    return any(event["type"] == "FailStateEntered" for event in last["events"])


def _visits(events: Iterable[Mapping[str, Any]]) -> list[Visit]:
    """Return a visit for each state entered. States inside a Map are matched by name alone.

    Maps that are entered at the same time start in this order.
    """
    told: list[Visit] = []
    for event in events:
        details = _details(event)
        if event["type"].endswith(_ENTERED):
            kind = event["type"].removesuffix(_ENTERED)
            told.append(Visit(details["name"], kind, event["timestamp"]))
        elif event["type"].endswith("StateExited"):
            visit = _open_visit(told, details["name"])
            if visit:
                visit.ms = (event["timestamp"] - visit.entered).total_seconds() * 1000
        elif event["type"] == "MapStateStarted":
            new = (each for each in told if each.kind == "Map" and each.items is None)
            if visit := next(new, None):
                visit.items = details["length"]
        elif event["type"] == "MapIterationSucceeded":
            visit = _open_visit(told, details["name"])
            if visit:
                visit.done += 1
        elif event["type"].startswith("Task") and "error" in details and told:
            told[-1].errors.append(details["error"])
    return told


def _details(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((value for name, value in event.items() if name.endswith("EventDetails")), {})


def _open_visit(told: list[Visit], state: str) -> Visit | None:
    return next((each for each in told if each.state == state and each.ms is None), None)
