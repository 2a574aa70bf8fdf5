"""Shorten large inputs and outputs: their shape stays, and every cut says how much is missing."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from pipeline.nesting import is_deeper

# Characters of a text, items of a list, fields of an object and levels, from loose to tight.
_LIMITS: Final = ((2_000, 40, 60, 10), (400, 12, 30, 6), (100, 5, 15, 4), (40, 2, 6, 2))
_LESS: Final = "…"
_DEEPEST: Final = 64  # levels; pydantic fails to write some hundreds, and nobody reads them


class Shown(NamedTuple):
    """A JSON value, and whether parts of it were left out."""

    value: Any
    shortened: bool


def shorten(text: str | None, most: int) -> Shown:
    """Return a JSON text's value, in at most about `most` characters as JSON.

    What is nested very deep is cut, too. A text that is no JSON, such as one that AWS has cut, is
    shown as it is, or its beginning.
    """
    if text is None:
        return Shown(None, shortened=False)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Shown(_cut_text(text, most), shortened=len(text) > most)
    if len(text) <= most and not is_deeper(value, _DEEPEST):
        return Shown(value, shortened=False)
    for limits in _LIMITS:
        cut = _cut(value, *limits)
        if len(json.dumps(cut, ensure_ascii=False)) <= most:
            return Shown(cut, shortened=True)
    return Shown(_cut_text(text, most), shortened=True)


def _cut(value: Any, characters: int, items: int, fields: int, levels: int) -> Any:  # noqa: ANN401
    match value:
        case str():
            return _cut_text(value, characters)
        case dict() | list() if value and not levels:
            return f"{_LESS} {len(value):,} {'fields' if isinstance(value, dict) else 'items'}"
        case dict():
            kept = {
                _cut_text(name, characters): _cut(each, characters, items, fields, levels - 1)
                for name, each in list(value.items())[:fields]
            }
            more = len(value) - fields
            return {**kept, _LESS: f"{more:,} more fields"} if more > 0 else kept
        case list():
            head = [_cut(each, characters, items, fields, levels - 1) for each in value[:items]]
            more = len(value) - items
            return [*head, f"{_LESS} {more:,} more items"] if more > 0 else head
        case _:
            return value


def _cut_text(text: str, characters: int) -> str:
    more = len(text) - characters
    return f"{text[:characters]}{_LESS} ({more:,} more characters)" if more > 0 else text
