"""Where a list goes on: a place in it, as text that a client passes back as it is."""

from __future__ import annotations

import base64
import json
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler.openapi.params import Query

from containers.http_api.errors import InvalidRequest, WrongFields
from pipeline.operations.jobs_table import Place

MOST_LISTED: Final = 100  # in one answer
Limit = Annotated[int, Query(ge=1, le=MOST_LISTED)]
_MOST_COUNTED: Final = 10**14  # milliseconds, until the year 5138
_LONGEST: Final = 1024  # bytes of a key in S3, and in an index of DynamoDB


def write_cursor(place: tuple[str | int, ...]) -> str:
    written = json.dumps(place, ensure_ascii=False).encode()  # escapes would triple a long key
    return base64.urlsafe_b64encode(written).decode().rstrip("=")


def read_cursor(text: str, prefix: str) -> Place:
    """Return the place. Raises WrongFields unless it is in the list of keys with this prefix.

    A caller may make one up: it only says where in the caller's own list to go on.
    """
    match _content(text):
        case [str(key), str(job_id)] if _may_be(key) and _may_be(job_id) and key.startswith(prefix):
            return Place(key, job_id)
    raise wrong_cursor()


def read_numbers(text: str) -> tuple[int, int]:
    """Return the two numbers of a cursor. Raises WrongFields if it has none."""
    match _content(text):
        case [int(first), int(second)]:
            return first, second
    raise wrong_cursor()


def read_counts(text: str) -> tuple[int, int]:
    """Return the two counts of a cursor, such as milliseconds. Raises WrongFields."""
    first, second = read_numbers(text)
    if not (0 <= first <= _MOST_COUNTED and 0 <= second <= _MOST_COUNTED):
        raise wrong_cursor()
    return first, second


def read_started(text: str) -> tuple[int, str, str]:
    """Return when an execution started, its machine and its name. Raises WrongFields."""
    match _content(text):
        case [int(started_ms), str(machine), str(name)]:
            return started_ms, machine, name
    raise wrong_cursor()


def read_skip(text: str) -> tuple[str, int]:
    """Return the name after which rows are read, and how many to skip. Raises WrongFields."""
    match _content(text):
        case [str(after), int(skip)] if skip >= 0 and (not after or _may_be(after)):
            return after, skip
    raise wrong_cursor()


def wrong_cursor() -> WrongFields:
    error = InvalidRequest("the cursor is not one of this list's")
    return WrongFields.one(error, "query.cursor")


def _may_be(name: str) -> bool:
    """Return True for text of a length that the table takes; half of a surrogate pair is none."""
    try:
        return 0 < len(name.encode()) <= _LONGEST
    except UnicodeEncodeError:
        return False


def _content(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (RecursionError, ValueError):  # binascii.Error and UnicodeError are ValueErrors
        return None
