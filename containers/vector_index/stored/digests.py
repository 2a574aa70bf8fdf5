"""Digests of 16 bytes: of persons, photos and objects, and the ids of rows."""

from __future__ import annotations

import hashlib
import json
from typing import Final

BYTES: Final = 16
_CANONICAL: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True)
NOBODY: Final = bytes(BYTES)  # the person of a row without one


def digest(*parts: str | int | None) -> bytes:
    """Return the first 16 bytes of the SHA-256 of the parts as canonical JSON."""
    return hashlib.sha256(_CANONICAL.encode(parts).encode()).digest()[:BYTES]


def person_digest(collection_id: str, person: str | None) -> bytes:
    """Return a person's digest, which differs from that of the same person in other collections."""
    return NOBODY if person is None else digest("person", collection_id, person)


def photo_digest(bucket: str, key: str, version_id: str | None) -> bytes:
    return digest("photo", bucket, key, version_id)


def object_digest(bucket: str, key: str) -> bytes:
    return digest("object", bucket, key)


def row_id(weights_sha256: str, photo_sha256: str, key: str, subject: int) -> bytes:
    """Return the id of a vector: the same photo of the same key makes the same ids again."""
    return digest("row", weights_sha256, photo_sha256, key, subject)
