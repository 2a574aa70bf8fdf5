"""Look up the key of a request, and answer API Gateway with its principal and scopes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import boto3

from pipeline.api_keys import ApiKey, read_bearer

_NO_DIGEST: Final = "0" * 64  # compared for a key that is unknown, so that it takes as long
_DENIED: Final[Mapping[str, Any]] = {"isAuthorized": False}


@dataclass(frozen=True)
class KeyAuthorizer:
    """Reads the keys table with a boto3 client. `clock` returns seconds since 1970."""

    dynamodb: Any
    table: str
    clock: Callable[[], float] = time.time

    @classmethod
    def connect(cls, environment: Mapping[str, str]) -> KeyAuthorizer:
        return cls(boto3.client("dynamodb"), environment["KEYS_TABLE"])

    def authorize(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return a simple response: the same one for unknown, revoked and expired keys.

        Only `identitySource` is read: API Gateway keeps a response for all requests with the same.
        """
        match event.get("identitySource"):
            case [str(header)]:
                key = read_bearer(header)
            case _:
                key = None
        row = self._valid(key) if key else None
        if row is None:
            return dict(_DENIED)
        context = {"principal": row["principal"]["S"], "scopes": row["scopes"]["S"]}
        return {"isAuthorized": True, "context": context}

    def _valid(self, key: ApiKey) -> Mapping[str, Any] | None:
        row = self.dynamodb.get_item(
            TableName=self.table, Key={"id": {"S": key.id}}, ConsistentRead=True
        ).get("Item", {})
        matches = key.matches(row.get("digest", {}).get("S", _NO_DIGEST))
        revoked = "revoked_at" in row
        expired = "expires_at" in row and float(row["expires_at"]["N"]) <= self.clock()
        return row if matches and not revoked and not expired else None
