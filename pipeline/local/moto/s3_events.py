"""Make moto 5.2.5 say in an S3 event which call created the object.

As in `compat`, each function fixes one defect; the same tests show that it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from moto.events.models import Rule
from moto.s3 import notifications

_PUT: Final = "s3:ObjectCreated:Put"
# As AWS's user guide names them; that a rule sees "POST Object" so spelled is unconfirmed.
_REASONS: Final = {
    _PUT: "PutObject",
    "s3:ObjectCreated:Post": "POST Object",
    "s3:ObjectCreated:Copy": "CopyObject",
    "s3:ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
}
_BY_FORM: Final = ContextVar("by_form", default=False)


def apply() -> None:
    """Apply the patch; `compat.apply` calls this once per process."""
    _name_reasons()


@contextmanager
def created_by_form() -> Iterator[None]:
    """In this block, the event of a PUT names an upload form as the object's creator."""
    token = _BY_FORM.set(True)
    try:
        yield
    finally:
        _BY_FORM.reset(token)


def _name_reasons() -> None:
    """An S3 event's reason is `ObjectCreated`, whichever call created the object."""
    send, deliver = notifications._send_event_bridge_message, Rule.send_to_targets
    current: ContextVar[str | None] = ContextVar("current", default=None)

    def send_named(account_id: str, bucket: Any, event_name: str, key: Any) -> None:
        by_form = _BY_FORM.get() and event_name == _PUT
        token = current.set(_REASONS.get("s3:ObjectCreated:Post" if by_form else event_name))
        try:
            send(account_id, bucket, event_name, key)
        finally:
            current.reset(token)

    def deliver_named(self: Any, event: dict[str, Any], *arguments: Any, **options: Any) -> None:
        if reason := current.get():
            event = event | {"detail": event["detail"] | {"reason": reason}}
        deliver(self, event, *arguments, **options)

    notifications._send_event_bridge_message = send_named
    Rule.send_to_targets = deliver_named
