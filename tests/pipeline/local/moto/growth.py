"""Return True for each patch whose leak is still there; for `defects`."""

from __future__ import annotations

import gc
from typing import Any

from moto.dynamodb.models.dynamo_type import Item
from moto.s3.models import FakeKey, s3_backends
from moto.sqs.models import Queue
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.utils import TMP_THREADS

from tests.pipeline.local.moto.machine import PASS, Machine

_MANY = 100
_ACCOUNT = "123456789012"


def growth(machine: Machine) -> dict[str, bool]:
    s3 = machine.client("s3")
    s3.create_bucket(Bucket="many")
    for number in range(_MANY):
        s3.put_object(Bucket="many", Key=f"{number}", Body=b"some")
    return {
        "_forget_receipts": receipts_pile_up(),
        "_forget_threads": threads_pile_up(machine),
        "_store_ended_executions": executions_stay(machine),
        "_store_bodies": "Spooled" in type(newest("many")._value_buffer).__name__,
        "_store_objects": alive(FakeKey) >= _MANY,
        "_store_rows": rows_stay(machine),
        "_tag_nothing_with_nothing": newest("many").arn in backend().tagger.tags,
        "_track_no_instances": bool(FakeKey.instances_tracked),
    }


def backend() -> Any:
    return s3_backends[_ACCOUNT]["aws"]


def newest(bucket: str) -> Any:
    return backend().get_bucket(bucket).keys[f"{_MANY - 1}"]


def alive(kind: type[Any]) -> int:
    gc.collect()
    return sum(issubclass(type(each), kind) for each in gc.get_objects())


def receipts_pile_up() -> bool:
    """Return True if a queue keeps the receipts of ten thousand deleted messages."""
    queue = Queue("receipts", "us-east-1", _ACCOUNT)
    for number in range(10_000):
        queue.deleted_messages.update([str(number)])
    return len(queue.deleted_messages) == 10_000


def threads_pile_up(machine: Machine) -> bool:
    """Return True if moto keeps the threads of more executions than the last."""
    for name in "abc":
        machine.run(PASS, name=name)
    return sum(not thread.is_alive() for thread in TMP_THREADS) > 1


def executions_stay(machine: Machine) -> bool:
    """Return True if the interpreter's state stays in memory after an execution ends."""
    arn = machine.run(PASS, name="ended")["executionArn"]
    events = machine.client("stepfunctions").get_execution_history(executionArn=arn)["events"]
    assert [event["type"] for event in events][-1] == "ExecutionSucceeded"
    return alive(EventManager) > 0


def rows_stay(machine: Machine) -> bool:
    dynamodb = machine.client("dynamodb")
    dynamodb.create_table(
        TableName="many",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for number in range(_MANY):
        dynamodb.put_item(TableName="many", Item={"id": {"S": f"{number}"}})
    assert dynamodb.scan(TableName="many")["Count"] == _MANY
    return alive(Item) >= _MANY
