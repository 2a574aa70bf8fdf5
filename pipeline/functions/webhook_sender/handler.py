"""SendWebhook: send one message to one webhook, once; the state machine tries again."""

from __future__ import annotations

import functools
import os
from dataclasses import asdict
from typing import Any, Final

from pipeline.errors import NamedError
from pipeline.functions.lines import write_line
from pipeline.functions.webhook_sender.contract import SendWebhook
from pipeline.functions.webhook_sender.sender import Sender

_NAME: Final = "webhook-sender"


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Read a SendWebhook from the event and return a WebhookSent, both as JSON."""
    message = SendWebhook(**event)
    about = {"trace_id": message.trace_id, "message_id": message.message_id}
    try:
        sent = _sender().send(message)
    except NamedError as error:
        write_line(_NAME, error.message, error=type(error).__name__, **about)
        raise
    write_line(_NAME, "done", status=sent.status, **about)
    return asdict(sent)


@functools.cache
def _sender() -> Sender:
    return Sender.connect(os.environ)
