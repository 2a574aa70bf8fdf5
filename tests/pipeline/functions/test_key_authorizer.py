"""A request is its key's principal's, and nobody's without a valid key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from containers.http_api.principal import identify
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import LOCAL_NAMES
from pipeline.functions.key_authorizer.authorizer import KeyAuthorizer
from pipeline.operations.keys import KeysTable
from pipeline.operations.site import Site
from tests.conftest import ROOT

DENIED = {"isAuthorized": False}


@pytest.fixture
def keys(site: Site) -> KeysTable:
    return KeysTable(site)


@pytest.fixture
def authorizer(site: Site) -> KeyAuthorizer:
    return KeyAuthorizer(site.client("dynamodb"), LOCAL_NAMES.table("keys"))


def asking(key: str, **more: Any) -> dict[str, Any]:
    header = f"Bearer {key}"
    event = {"version": "2.0", "type": "REQUEST", "identitySource": [header]}
    return {**event, "headers": {"authorization": header}, **more}


def test_a_key_names_its_principal_and_its_scopes(
    keys: KeysTable, authorizer: KeyAuthorizer
) -> None:
    key, row = keys.create("shop")
    operators, _ = keys.create("desk", principal="desk", operator=True)

    assert authorizer.authorize(asking(key)) == {
        "isAuthorized": True,
        "context": {"principal": row.id, "scopes": ""},
    }
    context = authorizer.authorize(asking(operators))["context"]
    assert context == {"principal": "desk", "scopes": "matteline/operator"}
    assert identify({"lambda": context}).operator


def test_each_key_has_a_principal_of_its_own_unless_one_is_shared(
    keys: KeysTable, authorizer: KeyAuthorizer
) -> None:
    (first, row), (second, _) = keys.create("shop"), keys.create("shop")
    renewed, again = keys.create("shop", principal=row.principal)

    owners = [
        identify({"lambda": authorizer.authorize(asking(key))["context"]}).prefix
        for key in (first, second, renewed)
    ]

    assert owners[0] != owners[1]
    assert owners[0] == owners[2] == row.prefix == again.prefix


def test_unknown_revoked_and_expired_keys_are_denied_in_the_same_words(
    keys: KeysTable, authorizer: KeyAuthorizer
) -> None:
    valid, row = keys.create("shop")
    revoked, gone = keys.create("old")
    soon = datetime.now(UTC) + timedelta(hours=1)
    expiring, _ = keys.create("guest", expires_at=soon)
    other, _ = keys.create("other")
    assert keys.revoke(gone.id)

    later = KeyAuthorizer(authorizer.dynamodb, authorizer.table, clock=soon.timestamp)
    earlier = KeyAuthorizer(
        authorizer.dynamodb, authorizer.table, clock=lambda: soon.timestamp() - 2
    )
    anothers_secret = f"mk_{row.id}_{other.rpartition('_')[2]}"
    assert [
        each.authorize(asking(key))
        for each, key in [
            (authorizer, revoked),
            (later, expiring),
            (authorizer, anothers_secret),
            (authorizer, f"mk_{'0' * 16}_{valid.rpartition('_')[2]}"),
        ]
    ] == [DENIED] * 4
    assert earlier.authorize(asking(expiring))["isAuthorized"] is True
    assert authorizer.authorize(asking(valid))["isAuthorized"] is True


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"identitySource": None},
        {"identitySource": []},
        {"identitySource": "Bearer {key}"},
        {"identitySource": ["{key}"]},
        {"identitySource": ["Bearer {key}", "x"]},
        {"identitySource": ["Bearer mk_1_2"], "headers": {"authorization": "Bearer {key}"}},
        {"headers": {"authorization": "Bearer {key}"}},
    ],
)
def test_a_request_whose_identity_source_is_no_key_is_denied_without_a_look_at_the_table(
    keys: KeysTable, authorizer: KeyAuthorizer, event: dict[str, Any]
) -> None:
    key, _ = keys.create("shop")

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(each) for each in value]
        if isinstance(value, dict):
            return {name: filled(each) for name, each in value.items()}
        return value.format(key=key) if isinstance(value, str) else value

    def looked(**_: Any) -> None:
        pytest.fail("the table was read")

    authorizer.dynamodb.meta.events.register("before-call.dynamodb.GetItem", looked)

    assert authorizer.authorize(filled(event)) == DENIED


def test_an_unknown_key_is_compared_as_a_known_one_is(
    keys: KeysTable, authorizer: KeyAuthorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, _ = keys.create("shop")
    compared: list[int] = []

    def compare(_self: object, digest: str) -> bool:
        compared.append(len(digest))
        return False

    monkeypatch.setattr("pipeline.api_keys.ApiKey.matches", compare)
    for asked in (key, f"mk_{'0' * 16}_{'0' * 32}"):
        assert authorizer.authorize(asking(asked)) == DENIED
    assert compared == [64, 64]


def test_nobody_is_authorised_while_the_table_does_not_answer(
    keys: KeysTable, authorizer: KeyAuthorizer
) -> None:
    key, _ = keys.create("shop")

    def unreachable(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://dynamodb")

    authorizer.dynamodb.meta.events.register("before-call.dynamodb.GetItem", unreachable)
    with pytest.raises(EndpointConnectionError):
        authorizer.authorize(asking(key))


def test_the_secret_is_not_stored(site: Site, keys: KeysTable) -> None:
    key, _ = keys.create("shop", principal="ada")

    stored = site.client("dynamodb").scan(TableName=LOCAL_NAMES.table("keys"))["Items"]
    assert key.rpartition("_")[2] not in str(stored)


def test_a_key_stays_revoked_since_the_first_time(site: Site, keys: KeysTable) -> None:
    _, row = keys.create("shop")
    assert keys.revoke(row.id)
    site.client("dynamodb").update_item(
        TableName=LOCAL_NAMES.table("keys"),
        Key={"id": {"S": row.id}},
        UpdateExpression="SET revoked_at = :long_ago",
        ExpressionAttributeValues={":long_ago": {"N": "7"}},
    )

    again = keys.revoke(row.id)

    assert again is not None
    assert again.revoked_at == datetime.fromtimestamp(7, UTC)
    assert again.state(datetime.now(UTC)) == "revoked"
    assert keys.revoke("0" * 16) is None
    assert [each.id for each in keys.rows()] == [row.id]


def test_the_function_is_declared_with_its_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", LOCAL_NAMES.region)
    (declared,) = (
        each
        for each in Blueprint.read(ROOT).operations(LOCAL_NAMES)
        if each.name == "key-authorizer"
    )

    connected = KeyAuthorizer.connect(declared.environment)
    assert connected.table == LOCAL_NAMES.table("keys")
    assert declared.handler == "pipeline.functions.key_authorizer.handler.handler"
