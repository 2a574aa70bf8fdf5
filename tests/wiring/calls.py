"""Read which services a deployed machine's states call, with which parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_FORMAT: Final = re.compile(r"States\.Format\('([^']+)'")
ANYTHING: Final = "anything"


@dataclass(frozen=True)
class Call:
    """A service call such as `lambda:invoke`, with the possible texts of each parameter."""

    integration: str
    parameters: Mapping[str, Sequence[str]]

    def texts(self, parameter: str) -> Sequence[str]:
        return self.parameters.get(parameter, ())


def calls(definition: str, picked: Sequence[str]) -> Iterator[Call]:
    """Yield the calls of every Task state, nested states included.

    `picked` are the names that a state may put into a text: of models, containers or machines.
    """
    yield from _below(json.loads(definition), picked)


def _below(node: Any, picked: Sequence[str]) -> Iterator[Call]:
    if isinstance(node, dict) and node.get("Type") == "Task":
        integration = node["Resource"].removeprefix("arn:aws:states:::")
        given = node.get("Parameters", {}).items()
        texts = {name.removesuffix(".$"): _texts(name, value, picked) for name, value in given}
        yield Call(integration, texts)
    for inner in node.values() if isinstance(node, dict) else node:
        if isinstance(inner, dict | list):
            yield from _below(inner, picked)


def _texts(name: str, value: Any, picked: Sequence[str]) -> Sequence[str]:
    if not isinstance(value, str) or not name.endswith(".$"):
        return [str(value)]
    template = _FORMAT.match(value)
    return [template[1].replace("{}", each) for each in picked] if template else [ANYTHING]
