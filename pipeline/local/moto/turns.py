"""Where moto 5.2.5 looks first and writes later, and two at once see the same: in turn, here.

As in `moto_compat`, each function mends one defect, and is seen to be needed by the same tests.
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
    """Mend everything; `moto_compat.apply` sees to it that this is done once."""
    alone = threading.RLock()
    _decide_conditions_alone(alone)
    _add_versions_alone(alone)
    _answer_for_tables_alone()


def _decide_conditions_alone(alone: threading.RLock) -> None:
    """A conditional write of S3 looks first and writes later: of two at once, both find nothing."""

    def decided(respond: Any) -> Any:
        def respond_in_turn(self: Any) -> Any:
            conditional = "If-Match" in self.headers or "If-None-Match" in self.headers
            with alone if conditional else contextlib.nullcontext():
                return respond(self)

        return respond_in_turn

    S3Response.put_object = decided(S3Response.put_object)
    S3Response.delete_object = decided(S3Response.delete_object)


def _add_versions_alone(alone: threading.RLock) -> None:
    """An object's versions are read, and later written with one more: of two at once, one is lost.

    Its event has been sent: it finds nothing.
    """
    S3Backend.put_object = _in_turn(alone, S3Backend.put_object)
    S3Backend.delete_object = _in_turn(alone, S3Backend.delete_object)


def _answer_for_tables_alone() -> None:
    """A row is looked at, then written word by word: of two claims, both find it free.

    And whoever reads it meanwhile finds half of it.
    """
    DynamoHandler.call_action = _in_turn(threading.RLock(), DynamoHandler.call_action)


def _in_turn(alone: threading.RLock, do: Callable[..., Any]) -> Callable[..., Any]:
    def done_in_turn(*arguments: Any, **options: Any) -> Any:
        with alone:
            return do(*arguments, **options)

    return done_in_turn
