"""How deep lists and objects of a JSON value are nested."""

from typing import Any


def is_deeper(value: Any, levels: int) -> bool:  # noqa: ANN401 - JSON
    """Return True if lists and objects have more levels."""
    inside = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list):
        return False
    return levels == 0 or any(is_deeper(each, levels - 1) for each in inside)
