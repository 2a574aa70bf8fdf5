"""WriteMessages: write one message for each webhook that wants to know of a job's end."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

from pipeline.functions.lines import write_line
from pipeline.functions.webhook_planner.contract import WriteMessages
from pipeline.functions.webhook_planner.messages import write_messages


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Read a WriteMessages from the event and return a MessagesWritten, both as JSON."""
    arns, names = os.environ["PRODUCT_MACHINES"].split(), os.environ["PRODUCTS"].split()
    job = WriteMessages(**event)
    written = write_messages(job, dict(zip(arns, names, strict=True)))
    ids = [each.message_id for each in written.messages]
    write_line("webhook-planner", "done", trace_id=job.detail["name"], messages=ids)
    return asdict(written)
