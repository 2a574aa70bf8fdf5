"""SendWebhook: send one message to one webhook, once; the state machine tries again."""

from __future__ import annotations

import functools
import os
from dataclasses import asdict
from typing import Any

from pipeline.functions.webhook_sender.contract import SendWebhook
from pipeline.functions.webhook_sender.sender import Sender


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Read a SendWebhook from the event and return a WebhookSent, both as JSON."""
    return asdict(_sender().send(SendWebhook(**event)))


@functools.cache
def _sender() -> Sender:
    return Sender.connect(os.environ)
