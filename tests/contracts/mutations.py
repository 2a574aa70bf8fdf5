"""Small changes to a state machine: what a slip of the hand would do to its file."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.contracts.asl import Machine

Edit = Callable[[dict[str, Any]], None]


def changed(machine: Machine, edit: Edit) -> Machine:
    """The same machine after `edit`; the one that is given stays as it is."""
    definition = json.loads(machine.text)
    edit(definition)
    return Machine(machine.name, json.dumps(definition))


def put(path: str, value: object) -> Edit:
    """Set what is at `path`, as in `States/Inspect/Retry/0/MaxAttempts`, or add it there."""

    def edit(definition: dict[str, Any]) -> None:
        parent, name = _place(definition, path)
        parent[name] = value

    return edit


def drop(path: str) -> Edit:
    def edit(definition: dict[str, Any]) -> None:
        parent, name = _place(definition, path)
        del parent[name]

    return edit


def rename(path: str, new: str) -> Edit:
    def edit(definition: dict[str, Any]) -> None:
        parent, name = _place(definition, path)
        parent[new] = parent.pop(name)

    return edit


def add(path: str, item: object) -> Edit:
    """Append to the list at `path`."""

    def edit(definition: dict[str, Any]) -> None:
        parent, name = _place(definition, path)
        parent[name].append(item)

    return edit


def remove(path: str, item: object) -> Edit:
    """Take one item out of the list at `path`."""

    def edit(definition: dict[str, Any]) -> None:
        parent, name = _place(definition, path)
        parent[name].remove(item)

    return edit


def _place(definition: Any, path: str) -> tuple[Any, Any]:
    """What holds the end of a path, and the name or index it has there."""
    *above, last = (int(part) if part.isdigit() else part for part in path.split("/"))
    for part in above:
        definition = definition[part]
    return definition, last
