"""Handlers that stand in for a container with a fault in it."""

from __future__ import annotations

from typing import Any


def bug(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Fails in a way nobody has a name for."""
    return {"mask": 1 // 0}
