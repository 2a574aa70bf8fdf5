"""Make ids that need no row: each says when it was made, and a digest in it says for whom.

So an id that was made for another owner is no id. Ids sort by the time they were made.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from datetime import UTC, datetime
from typing import Final

_TIME_BYTES: Final = 5
_RANDOM_BYTES: Final = 9
_DIGEST_BYTES: Final = 6
_WRITTEN: Final = re.compile(r"[0-9a-v]{32}")


def new_id(owner: str, now: datetime, digest: bytes | None = None) -> str:
    """Return a new id; `now` is cut to whole seconds. The same digest makes the same id then."""
    made = int(now.timestamp())
    random = digest or secrets.token_bytes(_RANDOM_BYTES)
    content = made.to_bytes(_TIME_BYTES, "big") + random[:_RANDOM_BYTES]
    return base64.b32hexencode(content + _digest(owner, content)).decode().lower()


def made_at(written: str, owner: str) -> datetime | None:
    """Return when an id was made; None for any text that is not an id of this owner."""
    if not _WRITTEN.fullmatch(written):
        return None
    try:
        content = base64.b32hexdecode(written, casefold=True)
    except binascii.Error:
        return None
    known, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
    if digest != _digest(owner, known):
        return None
    return datetime.fromtimestamp(int.from_bytes(known[:_TIME_BYTES], "big"), UTC)


def _digest(owner: str, content: bytes) -> bytes:
    return hashlib.sha256(owner.encode() + content).digest()[:_DIGEST_BYTES]
