"""Rows and ended executions on disk answer every request as if they were in memory."""

from __future__ import annotations

import json
import os
import sqlite3
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from pipeline.local.cloud import LocalCloud
from pipeline.local.moto import shelf

ROLE = "arn:aws:iam::123456789012:role/r"
FAIL = {"Type": "Fail", "Error": "NoSubject", "Cause": "nobody there"}
MAP = {
    "Type": "Map",
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Pass",
        "States": {"Pass": {"Type": "Pass", "End": True}},
    },
    "End": True,
}


@pytest.fixture(autouse=True)
def nothing_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values leave memory as soon as there are enough others."""
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
    for number in range(200):
        client.put_item(TableName="rows", Item={"id": {"S": f"{number}"}, "n": {"N": "0"}})
    yield client
    client.delete_table(TableName="rows")


def test_a_row_on_disk_is_read_changed_under_a_condition_and_deleted(rows: Any) -> None:
    first = {"TableName": "rows", "Key": {"id": {"S": "0"}}}
    change = {"UpdateExpression": "SET n = :new", "ConditionExpression": "n = :old"}
    values = {":old": {"N": "0"}, ":new": {"N": "1"}}
    rows.update_item(**first, **change, ExpressionAttributeValues=values)

    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        rows.update_item(**first, **change, ExpressionAttributeValues=values)
    rows.delete_item(TableName="rows", Key={"id": {"S": "1"}})

    found = rows.scan(TableName="rows")["Items"]
    assert len(found) == 199
    assert [row["id"]["S"] for row in found if row["n"]["N"] == "1"] == ["0"]


def test_a_failed_transaction_changes_no_row(rows: Any) -> None:
    put = {"TableName": "rows", "Item": {"id": {"S": "0"}, "n": {"N": "1"}}}
    refused = {
        "TableName": "rows",
        "Key": {"id": {"S": "1"}},
        "ConditionExpression": "attribute_not_exists(id)",
    }

    with pytest.raises(ClientError, match="TransactionCanceled"):
        rows.transact_write_items(TransactItems=[{"Put": put}, {"ConditionCheck": refused}])

    row = rows.get_item(TableName="rows", Key={"id": {"S": "0"}})["Item"]
    assert row["n"] == {"N": "0"}


def test_an_ended_execution_is_described_listed_and_cannot_start_again(cloud: LocalCloud) -> None:
    states = cloud.client("stepfunctions")
    definition = json.dumps({"StartAt": "Fail", "States": {"Fail": FAIL}})
    machine = new_machine(states, definition)
    started = {"stateMachineArn": machine, "name": "one", "input": '{"a": 1}'}
    arn = run(states, **started)

    found = states.describe_execution(executionArn=arn)
    outcome = (found["status"], found["input"], found["error"], found["cause"])
    assert outcome == ("FAILED", '{"a": 1}', "NoSubject", "nobody there")
    events = states.get_execution_history(executionArn=arn)["events"]
    assert [event["type"] for event in events][-1] == "ExecutionFailed"
    listed = states.list_executions(stateMachineArn=machine)["executions"]
    assert [row["status"] for row in listed] == ["FAILED"]
    of_it = states.describe_state_machine_for_execution(executionArn=arn)
    assert of_it["definition"] == definition
    assert states.list_map_runs(executionArn=arn)["mapRuns"] == []
    states.stop_execution(executionArn=arn)
    assert states.describe_execution(executionArn=arn)["status"] == "FAILED"
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        states.start_execution(**started)


def test_an_execution_that_ends_on_a_full_disk_stays_in_memory(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = cloud.client("stepfunctions")
    machine = new_machine(states, json.dumps({"StartAt": "Fail", "States": {"Fail": FAIL}}))
    shelf_of_ended = stepfunctions_parser_backends["123456789012"]["us-east-1"].ended_executions
    monkeypatch.setattr(
        shelf_of_ended, "_database", sqlite3.connect(":memory:", check_same_thread=False)
    )
    shelf_of_ended._database.execute("CREATE TABLE shelf (key PRIMARY KEY, value)")
    shelf_of_ended._database.execute("PRAGMA max_page_count = 3")

    arn = run(states, stateMachineArn=machine, input=json.dumps({"a": os.urandom(20_000).hex()}))

    assert states.describe_execution(executionArn=arn)["cause"] == "nobody there"
    events = states.get_execution_history(executionArn=arn)["events"]
    assert [event["type"] for event in events][-1] == "ExecutionFailed"


def test_an_ended_execution_lists_its_map_runs(cloud: LocalCloud) -> None:
    states = cloud.client("stepfunctions")
    machine = new_machine(states, json.dumps({"StartAt": "Map", "States": {"Map": MAP}}))

    arn = run(states, stateMachineArn=machine, input="[1]")

    assert len(states.list_map_runs(executionArn=arn)["mapRuns"]) == 1


def new_machine(states: Any, definition: str) -> str:
    made = states.create_state_machine(name=uuid.uuid4().hex, roleArn=ROLE, definition=definition)
    return str(made["stateMachineArn"])


def run(states: Any, **options: str) -> str:
    """Start an execution, wait until it has ended, and return its ARN."""
    arn = str(states.start_execution(**options)["executionArn"])
    while states.describe_execution(executionArn=arn)["status"] == "RUNNING":
        time.sleep(0.02)
    return arn
