"""A caller is whom the authoriser names, and nobody else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from containers.http_api.errors import NoPrincipal
from containers.http_api.principal import Principal, identify


def iam(user: str, **more: Any) -> dict[str, Any]:
    arn = "arn:aws:sts::123456789012:assumed-role/shop/web"
    return {"iam": {"userId": user, "userArn": arn, "accountId": "123456789012", **more}}


def jwt(subject: str, issuer: str = "https://a.example", **claims: str) -> dict[str, Any]:
    """Return what a JWT authoriser says; `cognito_groups` is the claim `cognito:groups`."""
    named = {name.replace("cognito_", "cognito:"): text for name, text in claims.items()}
    return {"jwt": {"claims": {"iss": issuer, "sub": subject, **named}, "scopes": None}}


def keyed(principal: str, **context: Any) -> dict[str, Any]:
    return {"lambda": {"principal": principal, **context}}


EVERYBODY = [
    iam("AROA1:web"),
    iam("AROA1:batch"),
    iam("AIDA1"),
    iam("AROA1:web", cognitoIdentity={"identityId": "eu-west-1:1"}),
    iam("AROA1:web", cognitoIdentity={"identityId": "eu-west-1:2"}),
    jwt("AIDA1"),
    jwt("ada"),
    jwt("ada", issuer="https://b.example"),
    jwt('ada", "x'),
    keyed("ada"),
    keyed("AIDA1"),
]


def test_each_has_a_prefix_of_their_own_that_does_not_say_who_they_are() -> None:
    prefixes = {identify(each).prefix for each in EVERYBODY}

    assert len(prefixes) == len(EVERYBODY)
    assert all(re.fullmatch(r"[0-9a-f]{32}/", prefix) for prefix in prefixes)


@pytest.mark.parametrize("authorizer", EVERYBODY)
def test_the_same_caller_has_the_same_prefix_every_time(authorizer: dict[str, Any]) -> None:
    assert identify(authorizer) == identify(authorizer)


def test_a_prefix_stays_the_same_in_later_versions() -> None:
    assert identify(iam("AIDA1")).prefix == "41b027846f328b139175ee4b8054e2dd/"


def test_a_caller_without_cognito_has_the_users_own_prefix() -> None:
    assert identify(iam("AIDA1", cognitoIdentity=None)) == identify(iam("AIDA1"))


@pytest.mark.parametrize(
    "authorizer",
    [
        None,
        {},
        {"iam": None},
        iam(""),
        iam("AROA1:web", cognitoIdentity={"identityPoolId": "eu-west-1:1"}),
        iam("AROA1:web", cognitoIdentity={"identityId": ""}),
        jwt(""),
        keyed(""),
        {"iam": {"accountId": "123456789012"}},
        {"jwt": {"claims": {"iss": "https://a.example", "client_id": "x"}}},
        {"jwt": {"claims": {"sub": "ada"}}},
        {"lambda": {"principal": 7}},
        {"lambda": {"principalId": "ada"}},
        {"principal": "ada"},
    ],
)
def test_a_request_that_names_nobody_is_denied(authorizer: dict[str, Any] | None) -> None:
    with pytest.raises(NoPrincipal):
        identify(authorizer)


@pytest.mark.parametrize(
    ("authorizer", "operator"),
    [
        (jwt("ada", scope="openid matteline/operator"), True),
        (jwt("ada", scope="[openid matteline/operator]"), True),
        (jwt("ada", scp="matteline/operator openid"), True),
        (jwt("ada", scp="[openid matteline/operator]"), True),
        (jwt("ada", cognito_groups="[matteline/operator]"), True),
        (jwt("ada", cognito_groups="[admins matteline/operator]"), True),
        (jwt("ada", scope="openid", scp="", cognito_groups="[matteline/operator]"), True),
        (keyed("ada", scopes="matteline/operator"), True),
        (jwt("ada", scope="matteline/operators"), False),
        (jwt("ada", scope="not-matteline/operator"), False),
        (jwt("ada", scopes="matteline/operator"), False),
        (jwt("ada", groups="[matteline/operator]"), False),
        (jwt("ada", roles="matteline/operator"), False),
        (jwt("ada", scope="[]", cognito_groups="[matteline operator]"), False),
        (jwt("ada", scope="[matteline/operator"), False),
        (jwt("ada", scope='["matteline/operator"]'), False),
        (keyed("ada", scope="matteline/operator"), False),
        (keyed("ada", scopes=["matteline/operator"]), False),
        (iam("AIDA1", scope="matteline/operator", scopes="matteline/operator"), False),
        (jwt("matteline/operator"), False),
    ],
)
def test_only_a_scope_makes_an_operator(authorizer: dict[str, Any], *, operator: bool) -> None:
    assert identify(authorizer).operator is operator


@pytest.mark.parametrize(
    ("user", "operator"),
    [
        ("AIDA1", True),
        ("AROA1:web", True),
        ("AROA1:anything", True),
        ("AROA2:ops", True),
        ("AROA2:web", False),
        ("AROA2", False),
        ("AIDA12", False),
        ("AROA3:AIDA1", False),
    ],
)
def test_a_deployment_names_the_operators_of_iam(user: str, *, operator: bool) -> None:
    operators = frozenset({"AIDA1", "AROA1", "AROA2:ops"})
    found = identify(iam(user), operators)

    assert found.operator is operator
    assert found.prefix == identify(iam(user)).prefix
    pooled = iam(user, cognitoIdentity={"identityId": user})
    for other in (pooled, jwt(user), keyed(user)):
        assert not identify(other, operators).operator


def test_only_an_operator_sees_what_belongs_to_others() -> None:
    ada, operator = Principal("ada/"), Principal("bob/", operator=True)

    assert [ada.may_see(key) for key in ("ada/1/cat.png", "adam/cat.png", "cat.png")] == [
        True, False, False,
    ]  # fmt: skip
    assert operator.may_see("ada/1/cat.png")
