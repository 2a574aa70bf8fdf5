"""Fill in the `${Placeholders}` of state machines and event patterns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

PLACEHOLDER: Final = re.compile(r"\$\{(\w+)\}")


def fill(text: str, substitutions: Mapping[str, str]) -> str:
    """Replace every `${Name}`. Raises KeyError for a name without a value."""
    return PLACEHOLDER.sub(lambda match: substitutions[match[1]], text)


def fill_pattern(pattern: object, substitutions: Mapping[str, str]) -> object:
    """Fill in an event pattern, field by field.

    A list item that is one placeholder becomes as many items as its value has words.
    """
    if isinstance(pattern, dict):
        return {name: fill_pattern(value, substitutions) for name, value in pattern.items()}
    if isinstance(pattern, list):
        return [item for each in pattern for item in _list_items(each, substitutions)]
    return fill(pattern, substitutions) if isinstance(pattern, str) else pattern


def _list_items(item: object, substitutions: Mapping[str, str]) -> list[object]:
    if isinstance(item, str) and PLACEHOLDER.fullmatch(item):
        return [*fill(item, substitutions).split()]
    return [fill_pattern(item, substitutions)]
