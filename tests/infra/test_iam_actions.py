"""Every IAM action in a statement exists and can act on the statement's resources."""

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
    """Return the ARN formats an action acts on; empty for an unknown action."""
    service, _, name = action.partition(":")
    found = get_action_data(service, name) or {}
    return frozenset(row["resource_arn_format"] for row in found.get(service, ()))


def named(pattern: str) -> list[str]:
    """Return the actions that a pattern such as `s3:Get*` names."""
    if "*" not in pattern:
        return [pattern]
    every = get_actions_for_service(pattern.partition(":")[0])
    return [each for each in every if fnmatchcase(each.lower(), pattern.lower())] or [pattern]


def fits(resource: str, kind: str) -> bool:
    """Return True if a resource may have an ARN format such as `arn:${Partition}:sqs:…`."""
    return meet(resource, _VARIABLE.sub("*", kind))


@cache
def meet(one: str, other: str) -> bool:
    """Return True if some text matches both globs, whose only wildcard is `*`."""
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
                yield f"{action}: is allowed on all resources without need"
            elif resource.startswith("arn:") and not any(fits(resource, kind) for kind in narrow):
                yield f"{action}: cannot act on {resource}"


def statements(templates: Templates) -> Iterator[Mapping[str, Any]]:
    """Yield every statement of the roles' policies, but not resource policies."""
    for template in templates.values():
        for resource in deploy(template):
            if resource.type in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role"}:
                inline = [
                    each["PolicyDocument"] for each in resource.properties.get("Policies", [])
                ]
                own = resource.properties.get("PolicyDocument")
                for document in [*inline, *([own] if own else [])]:
                    yield from document["Statement"]


def test_every_action_exists_and_fits_its_resources(templates: Templates) -> None:
    found = [line for statement in statements(templates) for line in problems(statement)]

    assert sorted(set(found)) == []


def test_statements_of_machines_and_functions_are_checked(templates: Templates) -> None:
    actions = {action for each in statements(templates) for action in listed(each["Action"])}

    assert {"lambda:InvokeFunction", "s3:GetObject", "states:StartExecution"} <= actions


@pytest.mark.parametrize(
    ("action", "resource", "said"),
    [
        ("s3:GetObjekt", "arn:aws:s3:::b/k", "no such action"),
        ("s3:GetObject", "*", "on all resources without need"),
        ("s3:GetObject", "arn:aws:s3:::bucket", "cannot act on"),
        ("dynamodb:Query", "arn:aws:sqs:eu-west-1:123456789012:jobs", "cannot act on"),
    ],
)
def test_a_wrong_action_or_resource_is_found(action: str, resource: str, said: str) -> None:
    (found,) = problems({"Action": action, "Resource": resource})

    assert said in found
