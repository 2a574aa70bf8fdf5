"""What the local cloud keeps on disk beside objects, and that it all goes with the cloud."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.local.cloud import LocalCloud
from pipeline.local.moto import shelf

ROLE = "arn:aws:iam::123456789012:role/r"


@pytest.fixture(autouse=True)
def used_only_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others take the place of a value as soon as there are enough of them."""
    monkeypatch.setattr(shelf, "IN_USE_S", 0)


@pytest.fixture
def rows(cloud: LocalCloud) -> Iterator[Any]:
    client = cloud.client("dynamodb")
    client.create_table(
        TableName="rows",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield client
    client.delete_table(TableName="rows")


def test_a_row_on_disk_is_read_changed_under_a_condition_and_deleted(rows: Any) -> None:
    for number in range(200):
        rows.put_item(TableName="rows", Item={"id": {"S": f"{number}"}, "n": {"N": "0"}})
    first = {"TableName": "rows", "Key": {"id": {"S": "0"}}}
    change = {"UpdateExpression": "SET n = :new", "ConditionExpression": "n = :old"}
    values = {":old": {"N": "0"}, ":new": {"N": "1"}}
    rows.update_item(**first, **change, ExpressionAttributeValues=values)

    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        rows.update_item(**first, **change, ExpressionAttributeValues=values)
    rows.delete_item(TableName="rows", Key={"id": {"S": "1"}})

    told = rows.scan(TableName="rows")["Items"]
    assert len(told) == 199
    assert [row["id"]["S"] for row in told if row["n"]["N"] == "1"] == ["0"]


def test_an_execution_that_is_over_tells_all_that_it_told(cloud: LocalCloud) -> None:
    states = cloud.client("stepfunctions")
    machine = states.create_state_machine(
        name="over", roleArn=ROLE, definition=json.dumps(fail_with("NoSubject", "nobody there"))
    )["stateMachineArn"]
    started = {"stateMachineArn": machine, "name": "one", "input": '{"a": 1}'}
    arn = states.start_execution(**started)["executionArn"]
    while (told := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(0.02)

    assert (told["input"], told["error"], told["cause"]) == (
        '{"a": 1}', "NoSubject", "nobody there",
    )  # fmt: skip
    events = states.get_execution_history(executionArn=arn)["events"]
    assert [event["type"] for event in events][-1] == "ExecutionFailed"
    assert [
        row["status"] for row in states.list_executions(stateMachineArn=machine)["executions"]
    ] == ["FAILED"]
    states.stop_execution(executionArn=arn)
    assert states.describe_execution(executionArn=arn)["status"] == "FAILED"
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        states.start_execution(**started)


def fail_with(error: str, cause: str) -> dict[str, Any]:
    fail = {"Type": "Fail", "Error": error, "Cause": cause}
    return {"StartAt": "Fail", "States": {"Fail": fail}}
