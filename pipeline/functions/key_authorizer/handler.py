"""Authorise a request by its key, for API Gateway's HTTP API (payload format 2.0)."""

from __future__ import annotations

import functools
import os
from typing import Any

from pipeline.functions.key_authorizer.authorizer import KeyAuthorizer


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return a simple response. Raises ClientError if the table does not answer."""
    return _authorizer().authorize(event)


@functools.cache
def _authorizer() -> KeyAuthorizer:
    return KeyAuthorizer.connect(os.environ)
