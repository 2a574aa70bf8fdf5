"""What takes fewer steps comes to the same."""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from pipeline.local.moto import compat
from pipeline.local.moto.steps import copied


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, 2.5, True, None, {"b": "é"}], "c": {}, "d": []},
        [[["deep"]]],
        (["in a tuple"],),
        OrderedDict(a=["in another kind of dict"]),
        "text",
        None,
    ],
)
def test_a_copy_is_equal_and_shares_nothing_that_can_change(value: Any) -> None:
    made = copied(value)

    assert made == value
    assert type(made) is type(value)
    assert not shared(made) & shared(value)


def shared(value: Any) -> set[int]:
    """The identities of all containers in it."""
    if isinstance(value, dict):
        return {id(value)}.union(*(shared(each) for each in value.values()))
    if isinstance(value, list):
        return {id(value)}.union(*(shared(each) for each in value))
    return set().union(*(shared(each) for each in value)) if isinstance(value, tuple) else set()


def test_what_cannot_be_copied_is_refused_as_before() -> None:
    with pytest.raises(TypeError):
        copy.deepcopy([threading.Lock()])
    with pytest.raises(TypeError):
        copied([threading.Lock()])


@pytest.fixture
def table() -> Iterator[Any]:
    compat.apply()
    with mock_aws():
        tables = boto3.resource("dynamodb", region_name="us-east-1")
        yield tables.create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


def updated(table: Any, expression: str, **values: Any) -> Any:
    given = {f":{name}": value for name, value in values.items()}
    options = {"ExpressionAttributeValues": given} if given else {}
    found = table.update_item(
        Key={"id": "1"}, UpdateExpression=expression, ReturnValues="ALL_NEW", **options
    )
    return found["Attributes"]


def test_every_kind_of_clause_is_applied(table: Any) -> None:
    updated(table, "SET a = :a, b = :a, c = :c", a=1, c=["x"])

    found = updated(
        table, "SET a = a + :one, c = list_append(c, :d) REMOVE b ADD n :one", one=1, d=["y"]
    )

    assert found == {"id": "1", "a": 2, "c": ["x", "y"], "n": 1}


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("SET a = :a SET b = :a", 'The "SET" section can only be used once'),
        ("SET a = :a REMOVE b REMOVE c", 'The "REMOVE" section can only be used once'),
        ("SET a = :a ADD b :a ADD c :a", 'The "ADD" section can only be used once'),
        ("SET a = :a, a = :a", "Two document paths overlap"),
        ("SET id = :a", "Cannot update attribute id"),
    ],
)
def test_a_wrong_expression_is_refused(table: Any, expression: str, says: str) -> None:
    with pytest.raises(ClientError, match=says):
        updated(table, expression, a=1)
