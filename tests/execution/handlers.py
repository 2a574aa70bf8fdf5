"""Handlers that stand in for a container with a fault in it."""

from __future__ import annotations

from typing import Any

from pipeline.errors import OutOfMemory


def bug(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Fails in a way nobody has a name for."""
    return {"mask": 1 // 0}


def too_small(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Has less memory than its model needs."""
    raise OutOfMemory("needs 12,000 MB in addition to 80 MB in use; the function has 512 MB")
