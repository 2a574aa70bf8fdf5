"""Keys of the HTTP API: how they are made and written, and what is stored of them.

A key is `mk_<id>_<secret>`. Only a digest of the secret is stored. The secret is random, so a plain
SHA-256 is enough: nobody can try 2^160 secrets.

Imports only the standard library: the authoriser is a zipped function.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from typing import Final, NamedTuple

OPERATOR_SCOPE: Final = "matteline/operator"
_ID_BYTES: Final = 10
_SECRET_BYTES: Final = 20
_BEARER: Final = re.compile(r"(?i:bearer) mk_([0-9a-v]{16})_([0-9a-v]{32})")


class ApiKey(NamedTuple):
    """A key. Its `id` is public, its `secret` is known to its holder only."""

    id: str
    secret: str

    @property
    def written(self) -> str:
        return f"mk_{self.id}_{self.secret}"

    @property
    def digest(self) -> str:
        """Return what is stored in place of the secret: its SHA-256 in hexadecimal digits."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def matches(self, digest: str) -> bool:
        """Compare in a time that does not depend on how much of the digest is equal."""
        return hmac.compare_digest(self.digest.encode(), digest.encode())


def new_key() -> ApiKey:
    return ApiKey(_random(_ID_BYTES), _random(_SECRET_BYTES))


def read_bearer(header: str) -> ApiKey | None:
    """Return the key in an `authorization` header; None for any other text."""
    found = _BEARER.fullmatch(header)
    return ApiKey(found[1], found[2]) if found else None


def _random(size: int) -> str:
    return base64.b32hexencode(secrets.token_bytes(size)).decode().lower()
