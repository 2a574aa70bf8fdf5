"""Object events as AWS words them, out of moto's.

moto reuses one id for every event, spells `eTag`, never says why, and emits two events for one
multipart upload.
"""

from __future__ import annotations

import itertools
import re
import uuid
from typing import Any

_MULTIPART_ETAG = re.compile(r"-\d+$")


class S3EventNormaliser:
    """Stateful because a multipart upload's two events are only told apart by coming second."""

    def __init__(self) -> None:
        self._sequence = itertools.count(1)
        self._half_delivered: set[tuple[str, str, str]] = set()

    def normalise(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """The event AWS would send, or None for the first of a multipart pair."""
        detail = event["detail"]
        stored = dict(detail["object"])
        etag = str(stored.pop("eTag", stored.get("etag", ""))).strip('"')
        multipart = bool(_MULTIPART_ETAG.search(etag))
        if multipart and self._is_first_half((detail["bucket"]["name"], stored["key"], etag)):
            return None
        if stored.get("version-id") == "null":
            del stored["version-id"]
        stored |= {"etag": etag, "sequencer": f"{next(self._sequence):016X}"}
        return event | {
            "id": str(uuid.uuid4()),
            "detail": detail
            | {
                "object": stored,
                "request-id": uuid.uuid4().hex[:16].upper(),
                "reason": "CompleteMultipartUpload" if multipart else "PutObject",
            },
        }

    def _is_first_half(self, upload: tuple[str, str, str]) -> bool:
        if upload in self._half_delivered:
            self._half_delivered.remove(upload)
            return False
        self._half_delivered.add(upload)
        return True
