"""Times in requests: a moment with its zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator


def _not_a_number(since: object) -> object:
    """Refuse seconds since 1970, which pydantic would read as a time."""
    if isinstance(since, str) and not since[4:5] == "-":
        raise ValueError("should be a time with its zone, such as 2026-10-01T00:00:00Z")
    return since


def _in_utc(since: datetime) -> datetime:
    """Return the time in UTC. Refuse those of the first and the last day that UTC does not have."""
    try:
        return since.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("should be a time that UTC has, too") from error


Since = Annotated[AwareDatetime, BeforeValidator(_not_a_number), AfterValidator(_in_utc)]
