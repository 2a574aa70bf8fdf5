"""Define WriteMessages' input and result, as plain JSON values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class WriteMessages:
    """A status change of a product's execution, the rows of its jobs, and all webhooks' rows."""

    detail: dict[str, Any]
    jobs: list[dict[str, Any]]
    webhooks: list[dict[str, Any]]


@dataclass(frozen=True)
class Message:
    """A message to one webhook. Its id is the same however often it is written or sent."""

    message_id: str
    webhook_id: str
    body: str


@dataclass(frozen=True)
class MessagesWritten:
    """The messages, one for each webhook that wants one."""

    messages: list[Message]
