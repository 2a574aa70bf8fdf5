"""Define SendWebhook's input and result, as plain JSON values."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class SendWebhook:
    """A message to send to the address of a webhook; `body` is JSON."""

    message_id: str
    webhook_id: str
    body: str

    @property
    def trace_id(self) -> str:
        """The trace id of the upload that the message is about; empty if it names no execution."""
        match json.loads(self.body):
            case {"data": {"execution": str(execution)}}:
                return execution
        return ""


@dataclass(frozen=True)
class WebhookSent:
    """The status with which the receiver accepted the message."""

    status: int
