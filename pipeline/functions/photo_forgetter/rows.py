"""The jobs of a photo in the jobs table, and the mark that their results are deleted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pipeline.contracts.output_keys import output_stem
from pipeline.functions.photo_forgetter.followers import Follower

_BY_KEY: Final = "by-key"


@dataclass(frozen=True)
class Row:
    """A job's row in the jobs table."""

    job_id: str
    key: str
    status: str
    execution: str
    updated_at: str

    @property
    def updated(self) -> datetime:
        at = datetime.fromisoformat(self.updated_at)
        return at if at.tzinfo else at.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Rows:
    """The rows of objects in one bucket."""

    dynamodb: Any
    table: str
    bucket: str

    def of(self, key: str, follower: Follower) -> Iterator[Row]:
        """Yield the product's jobs of all objects whose outputs have the same keys.

        The index may be a second behind the table, so each row is read again.
        """
        stem = output_stem(key)
        if not key.startswith(stem):  # a stem that was cut has a digest of its own key
            yield from self._found("#key = :key", key, follower)
            return
        yield from self._found("#key = :key", stem, follower)
        for row in self._found("begins_with(#key, :key)", f"{stem}.", follower):
            if output_stem(row.key) == stem:
                yield row

    def mark_deleted(self, row: Row) -> None:
        """Mark that the results of a finished job are deleted, as the API does."""
        with contextlib.suppress(self.dynamodb.exceptions.ConditionalCheckFailedException):
            self.dynamodb.update_item(
                TableName=self.table,
                Key={"job_id": {"S": row.job_id}},
                UpdateExpression="SET #status = :deleted, #updated_at = :updated_at"
                " REMOVE #released_by, #released_at",
                ConditionExpression="#execution = :execution AND #status = :done",
                ExpressionAttributeNames={
                    f"#{name}": name
                    for name in ("status", "updated_at", "released_by", "released_at", "execution")
                },
                ExpressionAttributeValues={
                    ":deleted": {"S": "DELETED"},
                    ":done": {"S": "DONE"},
                    ":updated_at": {"S": datetime.now(UTC).isoformat(timespec="milliseconds")},
                    ":execution": {"S": row.execution},
                },
            )

    def _found(self, condition: str, value: str, follower: Follower) -> Iterator[Row]:
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.table,
            IndexName=_BY_KEY,
            KeyConditionExpression=f"#bucket = :bucket AND {condition}",
            FilterExpression="#product = :product",
            ExpressionAttributeNames={"#bucket": "bucket", "#key": "key", "#product": "product"},
            ExpressionAttributeValues={
                ":bucket": {"S": self.bucket},
                ":key": {"S": value},
                ":product": {"S": follower.name},
            },
        )
        for page in pages:
            for item in page["Items"]:
                if row := self._row(item["job_id"]["S"]):
                    yield row

    def _row(self, job_id: str) -> Row | None:
        found = self.dynamodb.get_item(
            TableName=self.table, Key={"job_id": {"S": job_id}}, ConsistentRead=True
        )
        item = found.get("Item")
        return Row(**{name: item[name]["S"] for name in Row.__dataclass_fields__}) if item else None
