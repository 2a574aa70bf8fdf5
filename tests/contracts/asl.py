"""Reads a state machine: its states, wherever they are nested, where they lead, what they name."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

Body = Mapping[str, Any]

PLACEHOLDER: Final = re.compile(r"\$\{(\w+)\}")
_NESTED: Final = ("ItemProcessor", "Iterator", "Branches")
_INTEGRATION: Final = "arn:aws:states:::"
_QUOTED: Final = re.compile(r"'[^']*'")
_PATH: Final = re.compile(r"\${1,2}(?:\.\w+)*")


@dataclass(frozen=True)
class State:
    name: str
    body: Body

    @property
    def type(self) -> str:
        return str(self.body.get("Type", ""))

    @property
    def own(self) -> Body:
        """The state without the states inside it, which are states of their own."""
        return {name: value for name, value in self.body.items() if name not in _NESTED}

    @property
    def resource(self) -> str:
        return str(self.body.get("Resource", ""))

    @property
    def service(self) -> str:
        """`lambda`, `dynamodb`, `aws-sdk:s3`; the whole resource if it is no integration."""
        if not self.resource.startswith(_INTEGRATION):
            return self.resource
        first, second, *_ = self.resource.removeprefix(_INTEGRATION).split(":")
        return f"{first}:{second}" if first == "aws-sdk" else first

    @property
    def parameters(self) -> Body:
        return self.body.get("Parameters") or {}

    @property
    def payload(self) -> Body:
        """What a Lambda task sends, field by field; empty when it is not written that way."""
        payload = self.parameters.get("Payload")
        return payload if isinstance(payload, Mapping) else {}

    @property
    def retriers(self) -> tuple[Body, ...]:
        return tuple(self.body.get("Retry", ()))

    @property
    def catchers(self) -> tuple[Body, ...]:
        return tuple(self.body.get("Catch", ()))

    @property
    def retried(self) -> frozenset[str]:
        return frozenset(name for retrier in self.retriers for name in retrier["ErrorEquals"])

    @property
    def caught(self) -> frozenset[str]:
        return frozenset(name for catcher in self.catchers for name in catcher["ErrorEquals"])

    @property
    def targets(self) -> frozenset[str]:
        """The names of every state that may come next."""
        after = [self.body[link] for link in ("Next", "Default") if link in self.body]
        rules = [*self.body.get("Choices", ()), *self.catchers]
        return frozenset([*after, *(rule.get("Next", "") for rule in rules)])


@dataclass(frozen=True)
class Scope:
    """States that may go to one another: a machine's own, or those inside one Map."""

    owner: str
    body: Body

    @property
    def start(self) -> str:
        return str(self.body.get("StartAt", ""))

    @cached_property
    def states(self) -> dict[str, State]:
        return {name: State(name, body) for name, body in self.body["States"].items()}

    def reachable(self, start: str, *, avoiding: Collection[str] = ()) -> frozenset[str]:
        """Every state on some way from `start`, itself included, past none of `avoiding`."""
        seen: set[str] = set()
        ahead = [start]
        while ahead:
            name = ahead.pop()
            if name in self.states and name not in seen and name not in avoiding:
                seen.add(name)
                ahead += self.states[name].targets
        return frozenset(seen)

    def ends(self, start: str, *, avoiding: Collection[str] = ()) -> tuple[State, ...]:
        """The states at which a way from `start` may end."""
        reached = self.reachable(start, avoiding=avoiding)
        return tuple(self.states[name] for name in sorted(reached) if not self.states[name].targets)


@dataclass(frozen=True)
class Machine:
    name: str
    text: str

    @classmethod
    def read(cls, path: Path) -> Machine:
        return cls(path.name.removesuffix(".asl.json"), path.read_text(encoding="utf-8"))

    @cached_property
    def definition(self) -> dict[str, Any]:
        definition: dict[str, Any] = json.loads(self.text)
        return definition

    @cached_property
    def scopes(self) -> tuple[Scope, ...]:
        return tuple(_scopes(Scope(self.name, self.definition)))

    def enclosing(self, state: State) -> Iterator[State]:
        """Yield the Maps and Parallels that a state is in, the innermost first."""
        owners = {name: scope.owner for scope in self.scopes for name in scope.states}
        named = {each.name: each for each in self.states}
        name = owners[state.name]
        while name in named:
            yield named[name]
            name = owners[name]

    @property
    def states(self) -> tuple[State, ...]:
        return tuple(state for scope in self.scopes for state in scope.states.values())

    @property
    def tasks(self) -> tuple[State, ...]:
        return tuple(state for state in self.states if state.type == "Task")

    @property
    def lambda_tasks(self) -> tuple[State, ...]:
        return tuple(state for state in self.tasks if state.service == "lambda")


def load_machines(folder: Path) -> tuple[Machine, ...]:
    return tuple(Machine.read(path) for path in sorted(folder.glob("*.asl.json")))


def _scopes(scope: Scope) -> Iterator[Scope]:
    yield scope
    for state in scope.states.values():
        processors = [state.body.get("ItemProcessor"), state.body.get("Iterator")]
        for body in [*processors, *state.body.get("Branches", ())]:
            if body:
                yield from _scopes(Scope(state.name, body))


def strings(value: object) -> Iterator[str]:
    """Every string value inside `value`; field names are not values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def fields(value: object) -> Iterator[tuple[str, Any]]:
    """Every (field name, its value) inside `value`, at any depth."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield name, item
            yield from fields(item)
    elif isinstance(value, list):
        for item in value:
            yield from fields(item)


def placeholders(value: object) -> tuple[str, ...]:
    return tuple(name for text in strings(value) for name in PLACEHOLDER.findall(text))


def expressions(value: object) -> Iterator[str]:
    """What every `field.$` inside `value` is computed from: a path or an intrinsic function."""
    return (str(item) for name, item in fields(value) if name.endswith(".$"))


def paths(expression: str) -> tuple[str, ...]:
    """The JSONPaths an expression reads: `States.Format('{}', $.a.b)` → `$.a.b`."""
    return tuple(_PATH.findall(_QUOTED.sub("", expression)))
