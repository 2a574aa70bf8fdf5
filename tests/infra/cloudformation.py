"""Evaluate a CloudFormation template as a deployment would, conditions and references included."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-central-1"
_REFERENCE: Final = re.compile(r"\$\{([\w:]+)\}")
_PSEUDO: Final = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": None,
}


@dataclass(frozen=True)
class Resource:
    """A resource with its computed values; unknown ones read `<LogicalId.Attribute>`."""

    id: str
    type: str
    properties: dict[str, Any]
    attributes: dict[str, Any]  # DependsOn, DeletionPolicy and the like

    @property
    def depends_on(self) -> set[str]:
        named = self.attributes.get("DependsOn", [])
        return {named} if isinstance(named, str) else set(named)


class Deployed(tuple[Resource, ...]):
    """The resources whose conditions hold, in the template's order."""

    __slots__ = ()

    def of(self, kind: str) -> list[Resource]:
        """Return the resources of a type, such as `Lambda::Function`."""
        return [resource for resource in self if resource.type == f"AWS::{kind}"]

    def one(self, kind: str, **properties: str) -> Resource:
        """Return the only resource of a type with these properties."""
        (found,) = (
            resource
            for resource in self.of(kind)
            if properties.items() <= resource.properties.items()
        )
        return found


def deploy(template: Mapping[str, Any], **given: str) -> Deployed:
    """Evaluate the template with `given` parameters. Raises ValueError for an invalid one."""
    parameters = {
        name: _accepted(name, declared, given) for name, declared in _part(template, "Parameters")
    }
    stack = _Stack(template, parameters)
    return Deployed(
        Resource(
            id=name,
            type=declared["Type"],
            properties=stack.compute(declared.get("Properties", {})),
            attributes={
                key: stack.compute(value)
                for key, value in declared.items()
                if key not in {"Type", "Properties", "Condition", "Metadata"}
            },
        )
        for name, declared in _part(template, "Resources")
        if stack.holds(declared.get("Condition"))
    )


@dataclass(frozen=True)
class _Stack:
    template: Mapping[str, Any]
    parameters: Mapping[str, str]

    def holds(self, condition: str | None) -> bool:
        return condition is None or bool(self.compute(self.template["Conditions"][condition]))

    def compute(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.compute(each) for each in value]
        if not isinstance(value, dict):
            return value
        (name, argument), *others = value.items() or [("", None)]
        if not others and (name == "Ref" or name.startswith("Fn::")):
            return _FUNCTIONS[name](self, argument)
        return {key: self.compute(each) for key, each in value.items()}

    def ref(self, name: str) -> str | None:
        return {**_PSEUDO, **self.parameters}.get(name, f"<{name}>")

    def choose(self, condition: str, then: Any, otherwise: Any) -> Any:
        return self.compute(then if self.holds(condition) else otherwise)


_FUNCTIONS: Final[Mapping[str, Callable[[_Stack, Any], Any]]] = {
    "Ref": _Stack.ref,
    "Fn::GetAtt": lambda _, path: f"<{'.'.join(path)}>",
    "Fn::ImportValue": lambda _, name: f"<{name}>",
    "Fn::Join": lambda stack, given: given[0].join(stack.compute(given[1])),
    "Fn::Sub": lambda stack, text: _REFERENCE.sub(lambda found: str(stack.ref(found[1])), text),
    "Fn::If": lambda stack, given: stack.choose(*given),
    "Fn::Equals": lambda stack, given: stack.compute(given[0]) == stack.compute(given[1]),
    "Fn::Select": lambda stack, given: stack.compute(given[1])[int(given[0])],
    "Fn::GetAZs": lambda *_: [f"{REGION}{zone}" for zone in "abc"],
    "Fn::Base64": lambda stack, text: base64.b64encode(stack.compute(text).encode()).decode(),
    "Fn::Not": lambda stack, given: not stack.compute(given[0]),
}


def _accepted(name: str, declared: Mapping[str, Any], given: Mapping[str, str]) -> str:
    value = given.get(name, declared.get("Default"))
    pattern, values = declared.get("AllowedPattern", ".*"), declared.get("AllowedValues", [value])
    if value is None or value not in values or not re.search(pattern, value):
        raise ValueError(f"parameter {name} cannot be {value!r}")
    return str(value)


def _part(template: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    return list(template.get(name, {}).items())
