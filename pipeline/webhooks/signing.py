"""Sign messages as Standard Webhooks 1.0 does: symmetric, with HMAC-SHA256.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

_PREFIX: Final = "whsec_"
_BYTES: Final = 32
_LENGTHS: Final = range(24, 65)  # bytes that the standard allows


@dataclass(frozen=True)
class Secrets:
    """A webhook's secrets: the current one, and an earlier one that signs until `expires_at`."""

    current: str
    previous: str | None = None
    expires_at: float = 0  # seconds since 1970

    @classmethod
    def read(cls, text: str) -> Secrets:
        """Read what `written` returned. Raises ValueError for other text, and does not show it."""
        told = json.loads(text)
        if not isinstance(told, dict) or not {"current"} <= told.keys() <= vars(cls("")).keys():
            raise ValueError("the secret is not as `matteline webhooks` writes it")
        found = cls(**told)
        found._require_keys()
        return found

    @property
    def written(self) -> str:
        return json.dumps(self.__dict__)

    def rotated(self, until: datetime) -> Secrets:
        """Return new secrets; the current one still signs until then."""
        return Secrets(new_secret(), self.current, until.timestamp())

    def signing(self, now: float) -> tuple[str, ...]:
        """Return the secrets that sign at `now`, in seconds since 1970, the current one first."""
        if self.previous is None or now >= self.expires_at:
            return (self.current,)
        return (self.current, self.previous)

    def _require_keys(self) -> None:
        """Raise ValueError unless every secret is one that can sign."""
        each_signs = all(map(_is_secret, (self.current, self.previous or self.current)))
        if not each_signs or not isinstance(self.expires_at, int | float):
            raise ValueError("the secret cannot sign")


def _is_secret(text: object) -> bool:
    if not isinstance(text, str) or not text.startswith(_PREFIX):
        return False
    try:
        return len(base64.b64decode(text.removeprefix(_PREFIX), validate=True)) in _LENGTHS
    except ValueError:
        return False


def new_secret() -> str:
    return f"{_PREFIX}{base64.b64encode(secrets.token_bytes(_BYTES)).decode()}"


def sign(message_id: str, body: bytes, signing: Secrets, now: float) -> dict[str, str]:
    """Return the headers that identify, date and sign a message sent at `now`."""
    timestamp = str(int(now))
    content = f"{message_id}.{timestamp}.".encode() + body
    signatures = (f"v1,{_mac(secret, content)}" for secret in signing.signing(now))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def _mac(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
