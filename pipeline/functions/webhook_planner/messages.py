"""Write a job's end as a message, from the event of its execution's end."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pipeline.functions.webhook_planner.contract import Message, MessagesWritten, WriteMessages
from pipeline.outcomes import ENDS, HANDED_OVER, failure_in, public_error, verdict_of
from pipeline.webhooks.registered import Webhook

# A caller's prefix, an upload's id and a file's name, as `pipeline/operations/uploading.py` has it.
_UPLOADED: Final = re.compile(r"[0-9a-f]{32}/([0-9a-v]{32})/[^/]+")
_DIGEST_BYTES: Final = 20


@dataclass(frozen=True)
class End:
    """How an execution of a product ended: one status change event."""

    detail: Mapping[str, Any]
    products: Mapping[str, str]  # by the ARN of their state machine
    jobs: Sequence[str]  # that have the execution in their row

    @property
    def execution(self) -> str:
        return str(self.detail["executionArn"])

    @property
    def verdict(self) -> str:
        return verdict_of(self.detail["status"], self.detail.get("error"), self._output)

    @property
    def word(self) -> str:
        """Return the state of the job, in the API's words."""
        return ENDS.get(self.verdict, ENDS["FAILED"])

    @property
    def key(self) -> str:
        """Return the key of the object that its input names; empty if it names none."""
        match _read(self.detail.get("input")):
            case {"detail": {"object": {"key": str(key)}}} | {"key": str(key)}:
                return key
            case _:
                return ""

    def body(self) -> str:
        """Return the message as JSON."""
        at = datetime.fromtimestamp(self.detail["stopDate"] / 1000, UTC)
        return json.dumps(
            {
                "type": f"job.{self.word}",
                "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "data": {name: value for name, value in self._data().items() if value},
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )

    def message_to(self, webhook: Webhook) -> Message:
        """Return the message to a webhook. A redrive of the execution has another end and id."""
        identity = json.dumps([self.execution, self.detail["stopDate"], webhook.webhook_id])
        digest = hashlib.sha256(identity.encode()).digest()[:_DIGEST_BYTES]
        written = base64.b32hexencode(digest).decode().lower()
        return Message(f"msg_{written}", webhook.webhook_id, self.body())

    def _data(self) -> dict[str, Any]:
        uploaded = _UPLOADED.fullmatch(self.key)
        return {
            "job": self._job,
            "execution": self.detail["name"],
            "trace_id": self.detail["name"],
            "upload": uploaded[1] if uploaded else None,
            "key": self.key,
            "product": self.products.get(self.detail["stateMachineArn"]),
            "state": self.word,
            "error": self._error,
            "path": f"/jobs/{self.detail['name']}",
        }

    @property
    def _job(self) -> str | None:
        """Return the job's id; None for what was refused before it became a job."""
        own = [job for job in self.jobs if job != self.detail["name"]]
        return self._output.get("job_id") or next(iter(own), None)

    @property
    def _error(self) -> dict[str, str] | None:
        if self.detail["status"] == "SUCCEEDED":
            return None
        error, cause = self.detail.get("error"), self.detail.get("cause")
        failure = failure_in(error or self.detail["status"], cause or "")
        kind, _, hint = public_error(*failure)
        return {"name": kind.__name__, "hint": hint}

    @property
    def _output(self) -> Mapping[str, Any]:
        # Only that of a job that is done can be too long for the event.
        return _read(self.detail.get("output")) or {"status": "DONE"}


def write_messages(job: WriteMessages, products: Mapping[str, str]) -> MessagesWritten:
    """Return one message for each webhook that wants one; `products` are by state machine.

    There is none for an execution that was handed over: the other one's end is that of the job.
    """
    end = End(job.detail, products, [row["job_id"]["S"] for row in job.jobs])
    if end.verdict == HANDED_OVER:
        return MessagesWritten([])
    webhooks = map(Webhook.read, job.webhooks)
    wanting = [each for each in webhooks if each.wants(f"job.{end.word}", end.key)]
    return MessagesWritten([end.message_to(each) for each in wanting])


def _read(text: str | None) -> Any:  # noqa: ANN401 - JSON
    """Return the value in an event's field, which is null where it was too long for the event."""
    return json.loads(text) if text else None
