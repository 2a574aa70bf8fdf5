"""Read the metadata filters of S3 Vectors.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-metadata-filtering.html
That `$ne` and `$nin` match vectors without the key is unconfirmed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from moto.s3vectors.exceptions import ValidationError

Matches = Callable[[Mapping[str, Any]], bool]
MOST_CONSTRAINTS: Final = 100
_ORDER: Final = {
    "$gt": operator.gt, "$gte": operator.ge, "$lt": operator.lt, "$lte": operator.le,
}  # fmt: skip


def read_filter(document: object, unfilterable: frozenset[str]) -> Matches:
    """Return a function that says if metadata match the filter.

    Raises ValidationError for a filter that AWS refuses.
    """
    constraints: list[str] = []
    matches = _read(document, unfilterable, constraints)
    if len(constraints) > MOST_CONSTRAINTS:
        raise ValidationError(f"Invalid filter: more than {MOST_CONSTRAINTS} constraints")
    return matches


def _read(document: object, unfilterable: frozenset[str], constraints: list[str]) -> Matches:
    if not isinstance(document, dict) or not document:
        raise ValidationError("Invalid filter: a filter must be a non-empty object")
    parts: list[Matches] = []
    for name, wanted in document.items():
        if name in {"$and", "$or"}:
            if not isinstance(wanted, list) or not wanted:
                raise ValidationError(f"Invalid filter: {name} needs a non-empty array of filters")
            inner = [_read(each, unfilterable, constraints) for each in wanted]
            parts.append(_every(inner) if name == "$and" else _either(inner))
        elif name.startswith("$"):
            raise ValidationError(f"Invalid filter: unknown operator {name}")
        elif name in unfilterable:
            raise ValidationError(f"Invalid use of non-filterable metadata in filter: {name}")
        else:
            conditions = wanted if isinstance(wanted, dict) else {"$eq": wanted}
            if not conditions:
                raise ValidationError(f"Invalid filter: no condition for {name}")
            for operation, operand in conditions.items():
                constraints.append(name)
                parts.append(_condition(name, operation, operand))
    return _every(parts)


def _every(parts: list[Matches]) -> Matches:
    return lambda metadata: all(part(metadata) for part in parts)


def _either(parts: list[Matches]) -> Matches:
    return lambda metadata: any(part(metadata) for part in parts)


def _condition(name: str, operation: str, operand: Any) -> Matches:
    primitive = isinstance(operand, str | int | float)
    among = isinstance(operand, list) and bool(operand)
    match operation:
        case "$eq" | "$ne" if primitive:
            wanted = [operand]
        case "$in" | "$nin" if among and all(isinstance(x, str | int | float) for x in operand):
            wanted = operand
        case "$exists" if isinstance(operand, bool):
            return lambda metadata: (name in metadata) == operand
        case "$gt" | "$gte" | "$lt" | "$lte" if _is_number(operand):
            compare = _ORDER[operation]
            return lambda metadata: (
                _is_number(metadata.get(name)) and bool(compare(metadata[name], operand))
            )
        case _:
            raise ValidationError(f"Invalid filter: {operation} with this value, for {name}")
    kinds = {_kind(each) for each in wanted}
    negated = operation in {"$ne", "$nin"}

    def holds(metadata: Mapping[str, Any]) -> bool:
        value = metadata.get(name)
        values = value if isinstance(value, list) else [value]
        return any(_kind(each) in kinds for each in values) != negated

    return holds


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(value: object) -> tuple[str, object]:
    """Return what two equal values have in common: True is not 1, and 1 is 1.0."""
    return ("number" if _is_number(value) else type(value).__name__), value
