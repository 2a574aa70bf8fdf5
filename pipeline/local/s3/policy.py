"""The policy of an upload form: what it allows its fields and its file to be."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from pipeline.local.s3.refusal import Refused, bad_request, denied

MOST_BYTES: Final = 5 * 1024**3  # of one upload by form
_OPERATIONS: Final = frozenset({"eq", "starts-with"})
_EXEMPT: Final = frozenset({"x-amz-signature", "file", "policy"})
_EXPIRATION: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


@dataclass(frozen=True)
class Condition:
    """What one field must be, or begin with. `written` is S3's spelling of it in errors."""

    operation: str  # `eq` or `starts-with`
    name: str  # in small letters
    value: str
    written: str

    def holds(self, fields: Mapping[str, str]) -> bool:
        """Return True if a form satisfies it. A field that is absent satisfies nothing."""
        actual = fields.get(self.name)
        if actual is None:
            return False
        if self.operation == "eq":
            return actual == self.value
        # A list of types holds if every one of them does.
        parts = actual.split(",") if self.name == "content-type" else [actual]
        return all(part.strip().startswith(self.value) for part in parts)


@dataclass(frozen=True)
class SizeRange:
    """How many bytes a file may have, bounds included."""

    smallest: int
    largest: int


@dataclass(frozen=True)
class Policy:
    """What a signed form allows."""

    expiration: dt.datetime
    conditions: tuple[Condition, ...]
    sizes: tuple[SizeRange, ...]

    @classmethod
    def parse(cls, encoded: str) -> Self:
        """Read the policy in a form's field. Raises Refused if it is not one."""
        document = _decode(encoded)
        if unexpected := sorted({each.lower() for each in document} - {"expiration", "conditions"}):
            raise _invalid(f"Unexpected: '{unexpected[0]}'")
        for name in ("expiration", "conditions"):
            if name not in document:
                raise _invalid(f"Policy missing {name}.")
        if not isinstance(document["conditions"], list):
            raise _invalid("Invalid 'conditions' value: must be a List.")
        read = [_condition(each) for each in document["conditions"]]
        return cls(
            _moment(document["expiration"]),
            tuple(each for each in read if isinstance(each, Condition)),
            tuple(each for each in read if isinstance(each, SizeRange)),
        )

    @property
    def largest(self) -> int:
        """Return the most bytes that a file may have."""
        return min([each.largest for each in self.sizes], default=MOST_BYTES)

    def check_fields(self, fields: Mapping[str, str], bucket: str, *, now: dt.datetime) -> None:
        """Raise Refused if the policy has expired, or does not allow a form's fields."""
        if now >= self.expiration:
            raise denied("Invalid according to Policy: Policy expired.")
        known = {**fields, "bucket": bucket}
        for condition in self.conditions:
            if not condition.holds(known):
                raise _failed(condition.written)
        covered = {condition.name for condition in self.conditions} | _EXEMPT
        extra = [each for each in fields if not each.startswith("x-ignore-")]
        if uncovered := [each for each in extra if each not in covered]:
            raise denied(f"Invalid according to Policy: Extra input fields: {', '.join(uncovered)}")

    def check_size(self, size: int) -> None:
        """Raise Refused for a file of a size that the policy does not allow."""
        for each in (*self.sizes, SizeRange(0, MOST_BYTES)):
            if size > each.largest:
                raise bad_request(
                    "EntityTooLarge",
                    "Your proposed upload exceeds the maximum allowed size",
                    ProposedSize=size,
                    MaxSizeAllowed=each.largest,
                )
            if size < each.smallest:
                raise bad_request(
                    "EntityTooSmall",
                    "Your proposed upload is smaller than the minimum allowed size",
                    ProposedSize=size,
                    MinSizeAllowed=each.smallest,
                )


def _decode(encoded: str) -> dict[str, Any]:
    try:
        text = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise _invalid("invalid Base64 encoding.") from None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise _invalid("Invalid JSON.") from None
    if not isinstance(document, dict):
        raise _invalid("Invalid JSON.")
    return document


def _condition(written: object) -> Condition | SizeRange:
    if isinstance(written, dict):
        return _simple_condition(written)
    if not isinstance(written, list):
        raise _invalid("Invalid condition: must be a List or Object.")
    if not written:
        raise _invalid("Invalid Condition: missing operation identifier.")
    operation = str(written[0]).lower()
    if len(written) != 3:
        raise _invalid(f"Invalid {operation}: wrong number of arguments.")
    if operation == "content-length-range":
        return SizeRange(*(_bound(each, written) for each in written[1:]))
    if operation not in _OPERATIONS:
        raise _invalid(f"Invalid Condition: unknown operation '{operation}'.")
    _, name, value = written
    if not (isinstance(name, str) and isinstance(value, str)):
        raise _invalid("Invalid JSON.")
    return Condition(operation, _field(name), value, _spelled(operation, name, value))


def _simple_condition(written: dict[str, object]) -> Condition:
    if len(written) != 1:
        says = "Simple-Conditions must have exactly one property specified."
        raise _invalid(f"Invalid Simple-Condition: {says}")
    ((name, value),) = written.items()
    if not isinstance(value, str):
        raise _invalid("Invalid Simple-Condition: value must be a string.")
    return Condition("eq", name.lower(), value, _spelled("eq", f"${name}", value))


def _field(name: str) -> str:
    """Return the field that `$name` stands for. A name without `$` stands for none."""
    return name.removeprefix("$").lower() if name.startswith("$") else ""


def _bound(written: object, condition: list[object]) -> int:
    if isinstance(written, str) and not re.fullmatch(r"[0-9]{1,18}", written):
        raise _failed(_spelled(*condition))
    if isinstance(written, bool) or not isinstance(written, int | str) or int(written) < 0:
        raise _invalid("Invalid JSON.")
    return int(written)


def _moment(written: object) -> dt.datetime:
    if isinstance(written, str) and _EXPIRATION.fullmatch(written):
        try:
            return dt.datetime.fromisoformat(written)
        except ValueError:
            pass  # such as 31 February
    raise _invalid(f"Invalid 'expiration' value: '{written}'")


def _spelled(*condition: object) -> str:
    return json.dumps(condition, ensure_ascii=False)


def _failed(condition: str) -> Refused:
    return denied(f"Invalid according to Policy: Policy Condition failed: {condition}")


def _invalid(says: str) -> Refused:
    return bad_request("InvalidPolicyDocument", f"Invalid Policy: {says}")
