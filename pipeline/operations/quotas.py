"""Count what each principal asks the API for, against limits, in windows of a day or a minute.

The table has a row of counts for each principal and window, a row of limits for each principal to
whom an operator gave some, and one of limits for everybody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final, NamedTuple

from pipeline.aws.outages import Unanswered
from pipeline.operations.scanning import Item, every_row
from pipeline.operations.site import Site

EVERYBODY: Final = "default"  # whose limits are those of principals without limits of their own
_TABLE: Final = "quotas"
_LIMITS: Final = "limits/"
_KEPT: Final = timedelta(days=1)  # after the window's end
_GIB: Final = 2**30


class Window(Enum):
    """A span of time that begins at a whole day or minute of UTC."""

    DAY = 86_400
    MINUTE = 60

    @property
    def seconds(self) -> int:
        return self.value

    def start(self, now: datetime) -> datetime:
        seconds = int(now.timestamp())
        return datetime.fromtimestamp(seconds - seconds % self.seconds, UTC)

    def end(self, now: datetime) -> datetime:
        return self.start(now) + timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class Quota:
    """What is counted in a window. `limit` holds unless an operator sets another one."""

    name: str
    window: Window
    limit: int


QUOTAS: Final = (
    Quota("jobs", Window.DAY, 10_000),
    Quota("upload_bytes", Window.DAY, 100 * _GIB),
    Quota("masks", Window.MINUTE, 120),
    Quota("searches", Window.MINUTE, 60),
)
Limits = Mapping[str, int | None]  # by the name of the quota; None is no limit
Rows = Mapping[str, Item]  # by id


@dataclass(frozen=True)
class Standing:
    """How a principal stands in one quota: how much was counted in the window that ends then."""

    quota: Quota
    limit: int | None
    used: int
    resets_at: datetime

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)

    def has(self, amount: int) -> bool:
        """Return True if so much is left."""
        return self.left is None or amount <= self.left


class OverQuota(Exception):
    """A request asks for more than is left in these quotas. It was not counted."""

    def __init__(self, exceeded: tuple[Standing, ...]) -> None:
        names = " and ".join(each.quota.name for each in exceeded)
        super().__init__(f"{names}: the quota is used up")
        self.exceeded = exceeded


class Usage(NamedTuple):
    """A principal's prefix, or EVERYBODY; the limits set for it, and how it stands."""

    prefix: str
    own: Limits
    standings: tuple[Standing, ...]


class QuotasTable:
    def __init__(self, site: Site) -> None:
        self._dynamodb = site.client("dynamodb")
        self._name = site.names.table(_TABLE)

    def spend(self, prefix: str, asked: Mapping[str, int], now: datetime) -> tuple[Standing, ...]:
        """Count amounts, by the name of their quota; return how the principal stands then.

        All are counted or none. Raises OverQuota, and ValueError for amounts of different
        windows: one row counts one window.
        """
        quotas = [each for each in QUOTAS if asked.get(each.name)]
        if len({each.window for each in quotas}) != 1 or min(asked.values()) < 0:
            raise ValueError(f"amounts of one window are counted at a time, not {asked}")
        limits = _merged(self._rows(_limits_id(EVERYBODY), _limits_id(prefix)), prefix)
        counts, counted = self._add(prefix, quotas, asked, limits, now)
        standings = tuple(_standing(each, limits, counts, now) for each in quotas)
        if not counted:
            exceeded = (each for each in standings if not each.has(asked[each.quota.name]))
            raise OverQuota(tuple(exceeded))
        return standings

    def standings(self, prefix: str, now: datetime) -> tuple[Standing, ...]:
        """Return how a principal stands in every quota."""
        counts = (_counts_id(prefix, window, now) for window in Window)
        rows = self._rows(_limits_id(EVERYBODY), _limits_id(prefix), *counts)
        return _standings(rows, prefix, now)

    def usages(self, now: datetime) -> list[Usage]:
        """Return everybody, and each principal with limits of their own or counts in a window.

        Reads the whole table.
        """
        rows = {item["id"]["S"]: item for item in every_row(self._dynamodb, self._name)}
        limited = {row.removeprefix(_LIMITS) for row in rows if row.startswith(_LIMITS)}
        counted = {
            prefix
            for prefix in (f"{row.partition('/')[0]}/" for row in rows)
            if any(_counts_id(prefix, window, now) in rows for window in Window)
        }
        return [
            Usage(name, _limits(rows, name), _standings(rows, name, now))
            for name in (EVERYBODY, *sorted((limited | counted) - {EVERYBODY}))
        ]

    def set_limits(self, prefix: str, limits: Limits) -> None:
        """Set a principal's own limits, or everybody's; quotas that are not named keep theirs."""
        self._dynamodb.update_item(
            TableName=self._name,
            Key={"id": {"S": _limits_id(prefix)}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in limits),
            ExpressionAttributeNames={f"#{name}": name for name in limits},
            ExpressionAttributeValues={
                f":{name}": {"NULL": True} if limit is None else {"N": str(limit)}
                for name, limit in limits.items()
            },
        )

    def clear_limits(self, prefix: str) -> bool:
        """Delete a principal's own limits, or those set for everybody; False if there were none."""
        deleted = self._dynamodb.delete_item(
            TableName=self._name, Key={"id": {"S": _limits_id(prefix)}}, ReturnValues="ALL_OLD"
        )
        return "Attributes" in deleted

    def _add(
        self,
        prefix: str,
        quotas: list[Quota],
        asked: Mapping[str, int],
        limits: Limits,
        now: datetime,
    ) -> tuple[Mapping[str, Any], bool]:
        """Add to the window's row if every limit allows it; return the row, and True if so."""
        window = quotas[0].window
        names = [each.name for each in quotas]
        room = {name: limit - asked[name] for name in names if (limit := limits[name]) is not None}
        allowed = " AND ".join(_allows(name, left) for name, left in room.items())
        try:
            answer = self._dynamodb.update_item(
                TableName=self._name,
                Key={"id": {"S": _counts_id(prefix, window, now)}},
                UpdateExpression="SET #expires_at = :expires_at ADD "
                + ", ".join(f"#{name} :{name}" for name in names),
                ExpressionAttributeNames={f"#{name}": name for name in (*names, "expires_at")},
                ExpressionAttributeValues={
                    ":expires_at": {"N": str(int((window.end(now) + _KEPT).timestamp()))},
                    **{f":{name}": {"N": str(asked[name])} for name in names},
                    **{f":{name}_room": {"N": str(left)} for name, left in room.items()},
                },
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **({"ConditionExpression": allowed} if allowed else {}),
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException as error:
            return error.response.get("Item", {}), False
        return answer["Attributes"], True

    def _rows(self, *names: str) -> Rows:
        """Read rows by id, those that exist. Raises Unanswered if DynamoDB leaves one out."""
        keys = [{"id": {"S": name}} for name in names]
        answer = self._dynamodb.batch_get_item(
            RequestItems={self._name: {"Keys": keys, "ConsistentRead": True}}
        )
        if answer.get("UnprocessedKeys"):
            raise Unanswered("DynamoDB did not read every row")
        return {item["id"]["S"]: item for item in answer["Responses"][self._name]}


def _limits_id(prefix: str) -> str:
    return f"{_LIMITS}{prefix}"


def _counts_id(prefix: str, window: Window, now: datetime) -> str:
    return f"{prefix}{window.name.lower()}/{window.start(now):%Y-%m-%dT%H:%MZ}"


def _allows(name: str, room: int) -> str:
    """Return the condition that `name` is at most `room`; no row meets it if that is negative."""
    met = f"#{name} <= :{name}_room"
    return met if room < 0 else f"(attribute_not_exists(#{name}) OR {met})"


def _limits(rows: Rows, prefix: str) -> Limits:
    row = rows.get(_limits_id(prefix), {})
    return {
        each.name: None if "NULL" in row[each.name] else int(row[each.name]["N"])
        for each in QUOTAS
        if each.name in row
    }


def _merged(rows: Rows, prefix: str) -> Limits:
    """Return the limit of every quota: the principal's own, else everybody's, else the built-in."""
    built_in = {each.name: each.limit for each in QUOTAS}
    return {**built_in, **_limits(rows, EVERYBODY), **_limits(rows, prefix)}


def _standings(rows: Rows, prefix: str, now: datetime) -> tuple[Standing, ...]:
    limits = _merged(rows, prefix)
    return tuple(
        _standing(each, limits, rows.get(_counts_id(prefix, each.window, now), {}), now)
        for each in QUOTAS
    )


def _standing(quota: Quota, limits: Limits, counts: Mapping[str, Any], now: datetime) -> Standing:
    used = int(counts[quota.name]["N"]) if quota.name in counts else 0
    return Standing(quota, limits[quota.name], used, quota.window.end(now))
