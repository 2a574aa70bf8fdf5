"""Every IAM action there is a statement about exists, and is allowed on what it can act on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Final

import pytest
from policy_sentry.querying.actions import get_action_data, get_actions_for_service

from tests.infra.cloudformation import deploy
from tests.infra.conftest import Templates
from tests.infra.policies import listed

_EVERYTHING: Final = "*"
_VARIABLE: Final = re.compile(r"\$\{\w+\}")


@cache
def targets(action: str) -> frozenset[str]:
    """The kinds of resource an action acts on; empty if there is no such action."""
    service, _, name = action.partition(":")
    found = get_action_data(service, name) or {}
    return frozenset(row["resource_arn_format"] for row in found.get(service, ()))


def named(pattern: str) -> list[str]:
    """The actions a statement names, be it with a wildcard."""
    if "*" not in pattern:
        return [pattern]
    every = get_actions_for_service(pattern.partition(":")[0])
    return [each for each in every if fnmatchcase(each.lower(), pattern.lower())] or [pattern]


def fits(resource: str, kind: str) -> bool:
    """Whether a resource may be of a kind, such as `arn:${Partition}:sqs:…:${QueueName}`."""
    return meet(resource, _VARIABLE.sub("*", kind))


@cache
def meet(one: str, other: str) -> bool:
    """Whether some text fits both globs, whose only wildcard is `*`."""
    if one.startswith("*") or other.startswith("*"):
        if not one.startswith("*"):
            one, other = other, one
        return meet(one[1:], other) or (other != "" and meet(one, other[1:]))
    return one == other == "" or (one[:1] == other[:1] != "" and meet(one[1:], other[1:]))


def problems(statement: Mapping[str, Any]) -> Iterator[str]:
    for action in (each for pattern in listed(statement["Action"]) for each in named(pattern)):
        kinds = targets(action)
        if not kinds:
            yield f"{action}: no such action"
            continue
        narrow = kinds - {_EVERYTHING}
        for resource in listed(statement.get("Resource", [])):
            if resource == _EVERYTHING and narrow:
                yield f"{action}: is allowed on everything, and need not be"
            elif resource.startswith("arn:") and not any(fits(resource, kind) for kind in narrow):
                yield f"{action}: cannot act on {resource}"


def statements(templates: Templates) -> Iterator[Mapping[str, Any]]:
    """Every statement of every policy of a role; a resource's own policy says "*" for itself."""
    for template in templates.values():
        for resource in deploy(template):
            if resource.type in {"AWS::IAM::Policy", "AWS::IAM::Role"}:
                inline = [
                    each["PolicyDocument"] for each in resource.properties.get("Policies", [])
                ]
                own = resource.properties.get("PolicyDocument")
                for document in [*inline, *([own] if own else [])]:
                    yield from document["Statement"]


def test_every_statement_makes_sense(templates: Templates) -> None:
    found = [line for statement in statements(templates) for line in problems(statement)]

    assert sorted(set(found)) == []


def test_there_are_statements_of_machines_and_of_functions(templates: Templates) -> None:
    actions = {action for each in statements(templates) for action in listed(each["Action"])}

    assert {"lambda:InvokeFunction", "s3:GetObject", "states:StartExecution"} <= actions


@pytest.mark.parametrize(
    ("action", "resource", "said"),
    [
        ("s3:GetObjekt", "arn:aws:s3:::b/k", "no such action"),
        ("s3:GetObject", "*", "need not be"),
        ("s3:GetObject", "arn:aws:s3:::bucket", "cannot act on"),
        ("dynamodb:Query", "arn:aws:sqs:eu-west-1:123456789012:jobs", "cannot act on"),
    ],
)
def test_a_slip_is_found(action: str, resource: str, said: str) -> None:
    (found,) = problems({"Action": action, "Resource": resource})

    assert said in found
