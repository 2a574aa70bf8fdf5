"""A handler that takes what its event says, for tests of tuning."""

from __future__ import annotations

import time
from typing import Any

SPENT_S = 0.3


class NoSubject(Exception):
    """An error with a name."""


def take(event: dict[str, Any], _context: object) -> dict[str, Any]:
    match event["do"]:
        case "hold":
            held = b"x" * (event["mb"] * 2**20)
            time.sleep(0.2)
            return {"held": len(held)}
        case "work":
            end = time.process_time() + SPENT_S
            while time.process_time() < end:
                pass
            return {}
        case "wait":
            time.sleep(SPENT_S)
            return {}
        case other:
            raise NoSubject(other)
