"""Identify uploads by form, before and after they arrive.

An upload needs no row: its id says when it was made, and a digest in it says for whose prefix. So
an id that was made for another prefix is no id. Ids sort by the time they were made.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

LASTS: Final = timedelta(minutes=15)  # how long a form can be sent
_TIME_BYTES: Final = 5
_RANDOM_BYTES: Final = 9
_DIGEST_BYTES: Final = 6
_WRITTEN: Final = re.compile(r"[0-9a-v]{32}")


@dataclass(frozen=True)
class Upload:
    """An upload of one file below a caller's `prefix`. Its form can be sent until `expires_at`."""

    id: str
    prefix: str
    expires_at: datetime

    @property
    def folder(self) -> str:
        """Return what its key begins with, and no other key does."""
        return f"{self.prefix}{self.id}/"


def new_upload(prefix: str, now: datetime) -> Upload:
    """Return an upload with a new id; `now` is cut to whole seconds."""
    made = int(now.timestamp())
    content = made.to_bytes(_TIME_BYTES, "big") + secrets.token_bytes(_RANDOM_BYTES)
    written = base64.b32hexencode(content + _digest(prefix, content)).decode().lower()
    return _upload(written, prefix, made)


def read_upload(written: str, prefix: str) -> Upload | None:
    """Return the upload with this id; None for any text that was not made for this prefix."""
    if not _WRITTEN.fullmatch(written):
        return None
    try:
        content = base64.b32hexdecode(written, casefold=True)
    except binascii.Error:
        return None
    known, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
    if digest != _digest(prefix, known):
        return None
    return _upload(written, prefix, int.from_bytes(known[:_TIME_BYTES], "big"))


def _upload(written: str, prefix: str, made: int) -> Upload:
    return Upload(written, prefix, datetime.fromtimestamp(made, UTC) + LASTS)


def _digest(prefix: str, content: bytes) -> bytes:
    return hashlib.sha256(prefix.encode() + content).digest()[:_DIGEST_BYTES]
