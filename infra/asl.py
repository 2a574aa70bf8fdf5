"""Read Task states, distributed Maps and placeholders from a state machine definition."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_PLACEHOLDER: Final = re.compile(r"\$\{(\w+)\}")
_TEMPLATE: Final = re.compile(r"States\.Format\('([^']*)'")
_INTEGRATION: Final = "arn:aws:states:::"


@dataclass(frozen=True)
class DistributedMap:
    """A Map state that starts one execution per item: its item reader and its result writer."""

    name: str
    reader: Mapping[str, Any]
    writer: Mapping[str, Any]

    @property
    def reads(self) -> str:
        """Return the reader's API action, such as `s3:listObjectsV2` or `s3:getObject`."""
        return str(self.reader["Resource"]).removeprefix(_INTEGRATION)


@dataclass(frozen=True)
class TaskState:
    name: str
    resource: str
    parameters: Mapping[str, Any]

    @property
    def integration(self) -> str:
        """Return the task's service and action, such as `lambda:invoke`."""
        return self.resource.removeprefix(_INTEGRATION)

    def text(self, parameter: str) -> str:
        """Return a parameter's text, with `*` for each part known only at run time."""
        if parameter in self.parameters:
            return str(self.parameters[parameter])
        template = _TEMPLATE.match(self.parameters.get(f"{parameter}.$", ""))
        return template[1].replace("{}", "*") if template else "*"


def task_states(definition: str) -> tuple[TaskState, ...]:
    return tuple(_tasks(json.loads(definition)["States"]))


def distributed_maps(definition: str) -> tuple[DistributedMap, ...]:
    """Return the definition's distributed Maps. Only top-level states can be one."""
    states = json.loads(definition)["States"]
    return tuple(
        DistributedMap(name, body["ItemReader"], body["ResultWriter"]["Parameters"])
        for name, body in states.items()
        if "ItemReader" in body
    )


def placeholders(text: str) -> frozenset[str]:
    """Return the name in every `${Name}`."""
    return frozenset(_PLACEHOLDER.findall(text))


def _tasks(states: Mapping[str, Any]) -> Iterator[TaskState]:
    for name, body in states.items():
        if body["Type"] == "Task":
            yield TaskState(name, body["Resource"], body.get("Parameters", {}))
        for inner in (body.get("ItemProcessor"), *body.get("Branches", ())):
            if inner:
                yield from _tasks(inner["States"])
