"""Serialise moto's check-then-write races with locks.

As in `compat`, each function fixes one defect of moto 5.2.5; the same tests show that it is needed.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

from moto.dynamodb.responses import DynamoHandler
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response


def apply() -> None:
    """Apply all patches; `compat.apply` calls this once per process."""
    lock = threading.RLock()
    _serialise_conditional_writes(lock)
    _serialise_versions(lock)
    _serialise_table_calls()


def _serialise_conditional_writes(lock: threading.RLock) -> None:
    """S3 checks a condition before it writes: of two concurrent creations, both succeed."""

    def serialised(respond: Any) -> Any:
        def respond_in_turn(self: Any) -> Any:
            conditional = "If-Match" in self.headers or "If-None-Match" in self.headers
            with lock if conditional else contextlib.nullcontext():
                return respond(self)

        return respond_in_turn

    S3Response.put_object = serialised(S3Response.put_object)
    S3Response.delete_object = serialised(S3Response.delete_object)


def _serialise_versions(lock: threading.RLock) -> None:
    """S3 reads the versions of an object, then writes one more: two concurrent uploads lose one.

    The event of the lost version names an object that does not exist.
    """
    S3Backend.put_object = _serialised(lock, S3Backend.put_object)
    S3Backend.delete_object = _serialised(lock, S3Backend.delete_object)


def _serialise_table_calls() -> None:
    """DynamoDB checks a row, then writes attribute by attribute: two concurrent claims succeed.

    Concurrent readers see a row that is half written.
    """
    DynamoHandler.call_action = _serialised(threading.RLock(), DynamoHandler.call_action)


def _serialised(lock: threading.RLock, do: Callable[..., Any]) -> Callable[..., Any]:
    def do_in_turn(*arguments: Any, **options: Any) -> Any:
        with lock:
            return do(*arguments, **options)

    return do_in_turn
