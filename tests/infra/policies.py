"""Evaluate IAM policy statements for one action on one resource."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tests.infra.cloudformation import Deployed, Resource

Statement = Mapping[str, Any]


def role(access: Deployed, name: str) -> list[Statement]:
    """Return the statements of the role called `name`."""
    return statements_of(access.one("IAM::Role", RoleName=name))


def statements_of(role: Resource) -> list[Statement]:
    policies = role.properties.get("Policies", [])
    return [each for policy in policies for each in policy["PolicyDocument"]["Statement"]]


def allows(statements: Iterable[Statement], action: str, resource: str) -> bool:
    """Return True if an Allow statement matches; conditions count as met."""
    return any(
        statement["Effect"] == "Allow"
        and _matches(action, statement["Action"])
        and _matches(resource, statement["Resource"])
        for statement in statements
    )


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _matches(text: str, patterns: Any) -> bool:
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text)
        for pattern in listed(patterns)
    )
