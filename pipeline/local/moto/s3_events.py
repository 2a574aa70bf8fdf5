"""Make moto 5.2.5 send the S3 events that AWS sends, and say in them which call it was.

As in `compat`, each function fixes one defect; the same tests show that it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

from moto.events.models import Rule
from moto.s3 import notifications
from moto.s3.models import S3Backend

_PUT: Final = "s3:ObjectCreated:Put"
_MARKED: Final = "s3:ObjectRemoved:DeleteMarkerCreated"
_DELETED: Final = "s3:ObjectRemoved:Delete"
# As AWS's user guide names them; that a rule sees "POST Object" so spelled is unconfirmed.
_DETAILS: Final = {
    _PUT: {"reason": "PutObject"},
    "s3:ObjectCreated:Post": {"reason": "POST Object"},
    "s3:ObjectCreated:Copy": {"reason": "CopyObject"},
    "s3:ObjectCreated:CompleteMultipartUpload": {"reason": "CompleteMultipartUpload"},
    _MARKED: {"reason": "DeleteObject", "deletion-type": "Delete Marker Created"},
    _DELETED: {"reason": "DeleteObject", "deletion-type": "Permanently Deleted"},
}
_NO_CONTENT: Final = "d41d8cd98f00b204e9800998ecf8427e"  # the ETag of a delete marker
_BY_FORM: Final = ContextVar("by_form", default=False)


def apply() -> None:
    """Apply the patches; `compat.apply` calls this once per process."""
    _name_reasons()
    _report_deletions()


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
    current: ContextVar[dict[str, str] | None] = ContextVar("current", default=None)

    def send_named(account_id: str, bucket: Any, event_name: str, key: Any) -> None:
        by_form = _BY_FORM.get() and event_name == _PUT
        token = current.set(_DETAILS.get("s3:ObjectCreated:Post" if by_form else event_name))
        try:
            send(account_id, bucket, event_name, key)
        finally:
            current.reset(token)

    def deliver_named(self: Any, event: dict[str, Any], *arguments: Any, **options: Any) -> None:
        if details := current.get():
            event = event | {"detail": event["detail"] | details}
        deliver(self, event, *arguments, **options)

    notifications._send_event_bridge_message = send_named
    Rule.send_to_targets = deliver_named


class _Deleted(NamedTuple):
    """What moto reads of an object for its event."""

    name: str
    version_id: str
    etag: str
    size: int = 0


def _report_deletions() -> None:
    """In a versioned bucket, S3 reports no deletion but that of an object's last version."""
    delete, send = S3Backend.delete_object, notifications.send_event
    silent: ContextVar[bool] = ContextVar("silent", default=False)

    def send_unless_silent(*arguments: Any, **named: Any) -> None:
        if not silent.get():
            send(*arguments, **named)

    def reported(
        self: Any, bucket_name: str, key_name: str, version_id: Any = None, **options: Any
    ) -> Any:
        bucket = self.get_bucket(bucket_name)
        if not getattr(bucket, "is_versioned", False):
            return delete(self, bucket_name, key_name, version_id=version_id, **options)
        found = _version(bucket, key_name, version_id)
        token = silent.set(True)
        try:
            done, answer = delete(self, bucket_name, key_name, version_id=version_id, **options)
        finally:
            silent.reset(token)
        if done and (found or version_id is None):
            etag = str(getattr(found, "etag", _NO_CONTENT))
            subject = _Deleted(key_name, answer["version-id"], etag)
            send(self.account_id, _DELETED if version_id else _MARKED, bucket, subject)
        return done, answer

    notifications.send_event = send_unless_silent
    S3Backend.delete_object = reported


def _version(bucket: Any, key: str, version_id: Any) -> Any:
    """Return a version, or a delete marker, of an object; None if there is none."""
    versions = bucket.keys.getlist(key, default=[]) if version_id else []
    return next((each for each in versions if str(each.version_id) == str(version_id)), None)
