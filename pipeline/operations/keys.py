"""Make, list and revoke keys of the HTTP API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pipeline.api_keys import OPERATOR_SCOPE, new_key
from pipeline.operations.owning import prefix_of
from pipeline.operations.scanning import Item, every_row
from pipeline.operations.site import Site

_TABLE: Final = "keys"


@dataclass(frozen=True)
class KeyRow:
    """A key as it is stored. `principal` owns what is uploaded with it; several keys may share one.

    `expires_at` and `revoked_at` are None if the key does not expire, or was not revoked.
    """

    id: str
    name: str
    principal: str
    operator: bool
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def prefix(self) -> str:
        """Return what the keys of the principal's objects begin with."""
        return prefix_of("lambda", self.principal)

    def state(self, now: datetime) -> str:
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= now else "valid"


class KeysTable:
    def __init__(self, site: Site) -> None:
        self._dynamodb = site.client("dynamodb")
        self._name = site.names.table(_TABLE)

    def create(
        self,
        name: str,
        *,
        principal: str | None = None,
        operator: bool = False,
        expires_at: datetime | None = None,
    ) -> tuple[str, KeyRow]:
        """Store a new key and return it as its holder writes it: it cannot be read again.

        Without a principal, the key is the only one of a new principal, whose name is its id.
        """
        key = new_key()
        row = KeyRow(
            key.id, name, principal or key.id, operator, _seconds(datetime.now(UTC)),
            _seconds(expires_at) if expires_at else None,
        )  # fmt: skip
        item = {
            "id": {"S": row.id},
            "name": {"S": row.name},
            "principal": {"S": row.principal},
            "scopes": {"S": OPERATOR_SCOPE if operator else ""},
            "digest": {"S": key.digest},
            "created_at": _number(row.created_at),
            **({"expires_at": _number(row.expires_at)} if row.expires_at else {}),
        }
        self._dynamodb.put_item(
            TableName=self._name, Item=item, ConditionExpression="attribute_not_exists(id)"
        )
        return key.written, row

    def rows(self) -> list[KeyRow]:
        """Read every key, by name, latest first."""
        rows = map(_read, every_row(self._dynamodb, self._name))
        return sorted(rows, key=lambda row: (row.name, -row.created_at.timestamp(), row.id))

    def revoke(self, key_id: str) -> KeyRow | None:
        """Revoke a key for ever; return it, or None if there is no such key.

        A key that was revoked before keeps the time at which it was.
        """
        try:
            answer = self._dynamodb.update_item(
                TableName=self._name,
                Key={"id": {"S": key_id}},
                UpdateExpression="SET revoked_at = if_not_exists(revoked_at, :now)",
                ConditionExpression="attribute_exists(id)",
                ExpressionAttributeValues={":now": _number(datetime.now(UTC))},
                ReturnValues="ALL_NEW",
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return None
        return _read(answer["Attributes"])


def _read(item: Item) -> KeyRow:
    return KeyRow(
        id=item["id"]["S"],
        name=item["name"]["S"],
        principal=item["principal"]["S"],
        operator=OPERATOR_SCOPE in item["scopes"]["S"].split(),
        created_at=_moment(item["created_at"]),
        expires_at=_moment(item["expires_at"]) if "expires_at" in item else None,
        revoked_at=_moment(item["revoked_at"]) if "revoked_at" in item else None,
    )


def _seconds(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _number(moment: datetime) -> dict[str, str]:
    return {"N": str(int(moment.timestamp()))}


def _moment(number: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(number["N"]), UTC)
