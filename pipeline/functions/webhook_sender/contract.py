"""Define SendWebhook's input and result, as plain JSON values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SendWebhook:
    """A message to send to the address of a webhook; `body` is JSON."""

    message_id: str
    webhook_id: str
    body: str


@dataclass(frozen=True)
class WebhookSent:
    """The status with which the receiver accepted the message."""

    status: int
