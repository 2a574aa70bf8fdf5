"""List the messages that no attempt delivered, and send them again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import JsonValue

from pipeline.operations.executions import in_one_line, start_once
from pipeline.operations.scanning import every_row
from pipeline.operations.site import Site
from pipeline.outcomes import failure_in

MACHINE: Final = "deliver-webhook"


@dataclass(frozen=True)
class DeadLetter:
    """A message that was not delivered: `error` and `cause` are those of the last attempt."""

    message_id: str
    webhook_id: str
    body: str
    error: str
    cause: str
    died_at: datetime

    @property
    def event(self) -> str:
        """Return the type of the message, such as `job.done`."""
        return str(json.loads(self.body)["type"])

    @property
    def key(self) -> str:
        return str(json.loads(self.body)["data"].get("key", ""))

    @property
    def reason(self) -> str:
        """Return the last error in one line: its name, what is wrong, what to do."""
        return in_one_line(failure_in(self.error, self.cause))


def dead_letters(site: Site, *, webhook_id: str | None = None) -> list[DeadLetter]:
    """Return the dead letters, of one webhook if given, the oldest first."""
    found = [each for each in _read(site) if webhook_id in {None, each.webhook_id}]
    return sorted(found, key=lambda each: each.died_at)


def resend(site: Site, letter: DeadLetter) -> str:
    """Start the delivery of a dead letter again, and return the ARN of its execution.

    It stays a dead letter until it is delivered. Started twice, it is sent once: the execution is
    named after the message and the time at which it became a dead letter.
    """
    message: dict[str, JsonValue] = {
        "message_id": letter.message_id,
        "webhook_id": letter.webhook_id,
        "body": letter.body,
        "died_at": letter.died_at.isoformat(),
    }
    return start_once(site, MACHINE, message, why=letter.message_id)


def forget_dead_letters(site: Site, webhook_id: str) -> None:
    """Delete the dead letters of a webhook."""
    for letter in dead_letters(site, webhook_id=webhook_id):
        site.client("dynamodb").delete_item(
            TableName=site.names.table("dead-letters"),
            Key={"message_id": {"S": letter.message_id}},
        )


def _read(site: Site) -> Iterator[DeadLetter]:
    for item in every_row(site.client("dynamodb"), site.names.table("dead-letters")):
        texts = {name: value["S"] for name, value in item.items()}
        died_at = datetime.fromisoformat(texts.pop("died_at"))
        yield DeadLetter(**texts, died_at=died_at)
