"""Return True for each patch whose race two concurrent requests can still hit; for `defects`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

from botocore.exceptions import ClientError
from moto.dynamodb.models.table import Table
from moto.s3.models import FakeBucket, S3Backend

from tests.pipeline.local.moto.machine import Machine

_TWICE = 2


def races(machine: Machine) -> dict[str, bool]:
    return {
        "_serialise_versions": a_version_is_lost(machine),
        "_serialise_table_calls": both_claim_a_row(machine),
        "_serialise_conditional_writes": both_claim_a_key(machine),
    }


@contextlib.contextmanager
def meeting_after(owner: type[Any], name: str, subject: str) -> Iterator[None]:
    """Make two threads that call this method about the subject wait for each other after it."""
    meeting, read = threading.Barrier(2, timeout=2), getattr(owner, name)

    def read_together(self: Any, *arguments: Any, **options: Any) -> Any:
        found = read(self, *arguments, **options)
        if subject in str((*arguments, *options.values())):
            with contextlib.suppress(threading.BrokenBarrierError):
                meeting.wait()
        return found

    with mock.patch.object(owner, name, read_together):
        yield


def both(write: Callable[[], Any]) -> bool:
    """Return True if both of two concurrent writes succeed."""

    def succeeds(_: int) -> bool:
        try:
            write()
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(_TWICE) as two:
        return all(two.map(succeeds, range(_TWICE)))


def both_claim_a_key(machine: Machine) -> bool:
    s3 = machine.client("s3")
    s3.create_bucket(Bucket="claims")
    with meeting_after(S3Backend, "get_object", "claims"):
        return both(lambda: s3.put_object(Bucket="claims", Key="k", Body=b"", IfNoneMatch="*"))


def both_claim_a_row(machine: Machine) -> bool:
    dynamodb = machine.client("dynamodb")
    dynamodb.create_table(
        TableName="claims",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    claim = {"TableName": "claims", "Key": {"id": {"S": "claimed"}}}
    unless = "attribute_not_exists(id)"
    with meeting_after(Table, "get_item", "claimed"):
        return both(
            lambda: dynamodb.update_item(
                **claim,
                UpdateExpression="SET a = :a",
                ConditionExpression=unless,
                ExpressionAttributeValues={":a": {"S": "me"}},
            )
        )


def a_version_is_lost(machine: Machine) -> bool:
    s3 = machine.client("s3")
    s3.create_bucket(Bucket="versions")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="versions", Key="k", Body=b"")
    with meeting_after(_versions(), "getlist", "k"):
        both(lambda: s3.put_object(Bucket="versions", Key="k", Body=b""))
    return len(s3.list_object_versions(Bucket="versions")["Versions"]) < 1 + _TWICE


def _versions() -> type[Any]:
    """Return the class that holds the versions of a bucket's objects: moto's, or ours."""
    return type(FakeBucket("another", "1", "us-east-1").keys)
