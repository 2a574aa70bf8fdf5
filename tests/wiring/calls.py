"""Read which services a deployed machine's states call, with which parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_FORMAT: Final = re.compile(r"States\.Format\('([^']+)'")
ANYTHING: Final = "anything"

Pick = Callable[[str], Sequence[str]]  # from a text with one {}, to what a state may put there


@dataclass(frozen=True)
class Call:
    """A service call such as `lambda:invoke`, with the possible texts of each parameter."""

    integration: str
    parameters: Mapping[str, Sequence[str]]

    def texts(self, parameter: str) -> Sequence[str]:
        return self.parameters.get(parameter, ())


def calls(definition: str, pick: Pick) -> Iterator[Call]:
    """Yield the calls of every Task state, nested states included."""
    yield from _below(json.loads(definition), pick)


def _below(node: Any, pick: Pick) -> Iterator[Call]:
    if isinstance(node, dict) and node.get("Type") == "Task":
        integration = node["Resource"].removeprefix("arn:aws:states:::")
        given = node.get("Parameters", {}).items()
        texts = {name.removesuffix(".$"): _texts(name, value, pick) for name, value in given}
        yield Call(integration, texts)
    for inner in node.values() if isinstance(node, dict) else node:
        if isinstance(inner, dict | list):
            yield from _below(inner, pick)


def _texts(name: str, value: Any, pick: Pick) -> Sequence[str]:
    if not isinstance(value, str) or not name.endswith(".$"):
        return [str(value)]
    template = _FORMAT.match(value)
    if not template:
        return [ANYTHING]
    return [template[1].replace("{}", each) for each in pick(template[1])]
