"""The jobs table: one row for each job, read as values, written under conditions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from pipeline.contracts.contract import FOREVER
from pipeline.operations.scanning import Item, every_row
from pipeline.operations.site import Site

RUNNING: Final = "RUNNING"
DONE: Final = "DONE"
QUARANTINED: Final = "QUARANTINED"
FAILED: Final = "FAILED"
DELETED: Final = "DELETED"  # done, and its results were deleted, on request or with its photo
STATUSES: Final = (RUNNING, DONE, QUARANTINED, FAILED, DELETED)
BY_EXECUTION: Final = "by-execution"
BY_KEY: Final = "by-key"
BY_STATUS: Final = "by-status"
_PAGE: Final = 200  # rows that a query reads at a time
_MOST_PAGES: Final = 10  # of one call: a filter that few rows pass must not read on for ever
_WITH_STATUS: Final = 1_000  # rows of one status that are found at a time
_BATCH: Final = 100  # rows that DynamoDB reads at a time
_NAMED: Final = re.compile(r"#(\w+)")
_EPOCH: Final = "1970-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class JobRow:
    """One job. Attributes that the row lacks are empty.

    Input that was rejected before it became a job has a bucket and a key only if it names them, and
    some time after its end.

    `execution` is the ARN of the latest execution that claimed the job, `claimed_by` those of all.
    `missed_by` has those that found its result replaced or deleted, and released its claim.
    `product` and `machine` are names as declared; older rows lack them, and their execution's ARN
    provides them.
    """

    job_id: str
    status: str
    execution: str
    updated_at: datetime
    bucket: str = ""
    key: str = ""
    model: str = ""
    manifest: str = ""
    error: str = ""
    reason: str = ""
    released_by: str = ""
    claimed_by: tuple[str, ...] = ()
    missed_by: tuple[str, ...] = ()
    product: str = ""
    machine: str = ""

    @property
    def execution_name(self) -> str:
        return self.execution.rpartition(":")[2]

    @property
    def unclaimed(self) -> bool:
        """True for the record of an execution that ended before it could claim a job.

        A run of a machine that is no product's claims a row of its own name.
        """
        return self.job_id == self.execution_name and self.execution not in self.claimed_by

    @property
    def released(self) -> bool:
        """True if another execution was started in place of the row's own."""
        return bool(self.released_by) and self.released_by != self.execution


class Place(NamedTuple):
    """A row's place among those of a bucket, which are in the order of their keys."""

    key: str
    job_id: str


class Page(NamedTuple):
    """Some rows, and after which place the next ones are; None if there are no more."""

    rows: Sequence[JobRow]
    after: Place | None


class StatusPage(NamedTuple):
    """Some rows of one status, in no order, and the id after which others are; None at the end."""

    rows: Sequence[JobRow]
    after: str | None


class JobsTable:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._dynamodb = site.client("dynamodb")
        self._name = site.names.table("jobs")

    def row(self, job_id: str) -> JobRow | None:
        found = self._dynamodb.get_item(
            TableName=self._name, Key={"job_id": {"S": job_id}}, ConsistentRead=True
        )
        return self._read(found["Item"]) if "Item" in found else None

    def rows(self) -> Iterator[JobRow]:
        """Read every row, in no order."""
        return map(self._read, every_row(self._dynamodb, self._name))

    def of_execution(self, arn: str) -> JobRow | None:
        """Find the job whose latest execution this is, else the record named after it.

        The index may be a second behind the table.
        """
        found = self._dynamodb.query(
            TableName=self._name,
            IndexName=BY_EXECUTION,
            KeyConditionExpression="#execution = :execution",
            ExpressionAttributeNames={"#execution": "execution"},
            ExpressionAttributeValues={":execution": {"S": arn}},
        )
        rows = (self.row(item["job_id"]["S"]) for item in found["Items"])
        return min((row for row in rows if row), key=lambda row: row.unclaimed, default=None)

    def below(  # noqa: PLR0913 - keyword-only filters
        self,
        bucket: str,
        prefix: str,
        *,
        limit: int,
        status: str | None = None,
        since: datetime | None = None,
        after: Place | None = None,
    ) -> Page:
        """Find jobs of objects whose keys begin with `prefix`, last key first.

        The rows have no more attributes than the index, which may be a second behind the table. A
        page may have fewer rows than `limit`, even none, although there are more.
        """
        asked = _below(bucket, prefix, status, since)
        rows: list[JobRow] = []
        for _ in range(_MOST_PAGES):
            start = {"ExclusiveStartKey": _start(bucket, after)} if after else {}
            found = self._dynamodb.query(TableName=self._name, **asked, **start)
            rows += map(self._read, found["Items"])
            if len(rows) > limit or (len(rows) == limit and "LastEvaluatedKey" in found):
                last = rows[limit - 1]
                return Page(rows[:limit], Place(last.key, last.job_id))
            if "LastEvaluatedKey" not in found:
                return Page(rows, None)
            last_read = found["LastEvaluatedKey"]
            after = Place(last_read["key"]["S"], last_read["job_id"]["S"])
        return Page(rows, after)

    def with_status(self, status: str, *, after: str | None = None) -> StatusPage:
        """Find jobs with this status, a thousand at a time; the index may be a second behind."""
        start = {"status": {"S": status}, "job_id": {"S": after}} if after else None
        found = self._dynamodb.query(
            TableName=self._name,
            IndexName=BY_STATUS,
            KeyConditionExpression="#status = :status",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":status": {"S": status}},
            Limit=_WITH_STATUS,
            **({"ExclusiveStartKey": start} if start else {}),
        )
        keys = [{"job_id": item["job_id"]} for item in found["Items"]]
        rows = [row for row in self._rows_of(keys) if row.status == status]
        last = found.get("LastEvaluatedKey")
        return StatusPage(rows, last["job_id"]["S"] if last else None)

    def _rows_of(self, keys: Sequence[Mapping[str, Any]]) -> Iterator[JobRow]:
        for first in range(0, len(keys), _BATCH):
            ahead = {self._name: {"Keys": keys[first : first + _BATCH]}}
            while ahead:
                told = self._dynamodb.batch_get_item(RequestItems=ahead)
                yield from map(self._read, told["Responses"][self._name])
                ahead = told.get("UnprocessedKeys")

    def claimed_by(self, arns: Sequence[str]) -> JobRow | None:
        """Find the job that one of these executions once claimed, by reading the whole table."""
        values = {f":arn{number}": {"S": arn} for number, arn in enumerate(arns)}
        found = every_row(
            self._dynamodb,
            self._name,
            FilterExpression=" OR ".join(f"contains(claimed_by, {name})" for name in values),
            ExpressionAttributeValues=values,
        )
        return next(map(self._read, found), None)

    def close(self, row: JobRow, *, error: str, reason: str) -> bool:
        """Mark the job FAILED and release its claim; False if the row has changed since."""
        # An index takes no empty name: a row without an object has none.
        source = {":bucket": {"S": row.bucket}, ":key": {"S": row.key}} if row.key else {}
        return self._update(
            row.job_id,
            "SET #status = :status, #error = :error, #reason = :reason, #held_until = :held_until,"
            " #updated_at = :updated_at, #execution = :execution, #product = :product,"
            f" #machine = :machine{', #bucket = :bucket, #key = :key' if source else ''}",
            "attribute_not_exists(job_id) OR (#execution = :execution AND #status = :running)",
            {
                ":status": {"S": FAILED},
                ":running": {"S": RUNNING},
                ":error": {"S": error},
                ":reason": {"S": reason},
                ":held_until": {"N": "0"},
                ":updated_at": {"S": _now()},
                ":execution": {"S": row.execution},
                ":product": {"S": row.product},
                ":machine": {"S": row.machine},
                **source,
            },
        )

    def finish(self, row: JobRow) -> bool:
        """Mark the job DONE by its own execution; False if another one has claimed it since."""
        return self._update(
            row.job_id,
            "SET #status = :status, #held_until = :held_until, #updated_at = :updated_at"
            " REMOVE #error, #reason",
            "#execution = :execution AND (#status = :failed OR #status = :running)",
            {
                ":status": {"S": DONE},
                ":failed": {"S": FAILED},
                ":running": {"S": RUNNING},
                ":held_until": {"N": str(FOREVER)},
                ":updated_at": {"S": _now()},
                ":execution": {"S": row.execution},
            },
        )

    def hold(self, row: JobRow, *, after: datetime, until: datetime) -> bool:
        """Mark the job RUNNING for its own execution; False if another one has claimed it since.

        `after` is when that execution ended: later reports of an end at or before it are ignored.
        """
        return self._update(
            row.job_id,
            "SET #status = :status, #held_until = :held_until, #updated_at = :updated_at,"
            " #resumed_after = :resumed_after REMOVE #error, #reason",
            "#execution = :execution AND #status <> :done",
            {
                ":status": {"S": RUNNING},
                ":done": {"S": DONE},
                ":held_until": {"N": str(int(until.timestamp()))},
                # A millisecond of grace: event and description may round differently.
                ":resumed_after": {"N": str(round(after.timestamp() * 1000) + 1)},
                ":updated_at": {"S": _now()},
                ":execution": {"S": row.execution},
            },
        )

    def mark_deleted(self, row: JobRow) -> bool:
        """Mark that the results of a finished job were deleted; False if the row has changed since.

        The claim stays: the next execution finds it, and does the job again because its result is
        missing.
        """
        return self._update(
            row.job_id,
            "SET #status = :deleted, #updated_at = :updated_at REMOVE #released_by, #released_at",
            "#execution = :execution AND #status = :done",
            {
                ":deleted": {"S": DELETED},
                ":done": {"S": DONE},
                ":updated_at": {"S": _now()},
                ":execution": {"S": row.execution},
            },
        )

    def forget(self, row: JobRow) -> None:
        """Delete the record named after the row's execution, and no other row."""
        self._dynamodb.delete_item(
            TableName=self._name,
            Key={"job_id": {"S": row.execution_name}},
        )

    def mark_released(self, row: JobRow, *, by: str) -> None:
        """Note the ARN of the execution that was started instead; nothing else changes."""
        self._dynamodb.update_item(
            TableName=self._name,
            Key={"job_id": {"S": row.job_id}},
            UpdateExpression="SET released_by = :by, released_at = :at",
            ExpressionAttributeValues={":by": {"S": by}, ":at": {"S": _now()}},
        )

    def _update(
        self, job_id: str, update: str, condition: str, values: Mapping[str, Mapping[str, str]]
    ) -> bool:
        try:
            self._dynamodb.update_item(
                TableName=self._name,
                Key={"job_id": {"S": job_id}},
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames={
                    f"#{name}": name for name in _NAMED.findall(update + condition)
                },
                ExpressionAttributeValues=values,
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _read(self, item: Item) -> JobRow:
        plain = {name: next(iter(value.values())) for name, value in item.items()}
        claimed_by = tuple(plain.pop("claimed_by", ()))
        missed_by = tuple(plain.pop("missed_by", ()))
        written = datetime.fromisoformat(plain.pop("updated_at", _EPOCH))
        known = {name: text for name, text in plain.items() if name in JobRow.__dataclass_fields__}
        row = JobRow(**known, updated_at=written, claimed_by=claimed_by, missed_by=missed_by)
        product = self._site.product_of(row.execution)
        if row.machine or product is None:
            return row
        return replace(row, product=product.name, machine=product.machine)


def _below(bucket: str, prefix: str, status: str | None, since: datetime | None) -> dict[str, Any]:
    """Return a query's parameters. DynamoDB compares times as texts, which are all in UTC."""
    condition, wanted = ["#bucket = :bucket"], list[str]()
    names, values = {"#bucket": "bucket"}, {":bucket": {"S": bucket}}
    if prefix:
        condition.append("begins_with(#key, :prefix)")
        names["#key"], values[":prefix"] = "key", {"S": prefix}
    if status:
        wanted.append("#status = :status")
        names["#status"], values[":status"] = "status", {"S": status}
    if since:
        wanted.append("#updated_at >= :since")
        moment = since.astimezone(UTC).isoformat(timespec="milliseconds")
        names["#updated_at"], values[":since"] = "updated_at", {"S": moment.removesuffix("+00:00")}
    return {
        "IndexName": BY_KEY,
        "KeyConditionExpression": " AND ".join(condition),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "ScanIndexForward": False,
        "Limit": _PAGE,
        **({"FilterExpression": " AND ".join(wanted)} if wanted else {}),
    }


def _start(bucket: str, after: Place) -> dict[str, dict[str, str]]:
    return {"bucket": {"S": bucket}, "key": {"S": after.key}, "job_id": {"S": after.job_id}}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
