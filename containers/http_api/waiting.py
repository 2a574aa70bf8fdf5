"""Wait for the end of what was started, such as a job, as `Prefer: wait=20` asks (RFC 7240)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Annotated, Final, Protocol, TypeVar

from aws_lambda_powertools.event_handler.openapi.params import Header

LONGEST_S: Final = 20  # API Gateway answers for the function after 30
_WAIT: Final = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?=[,;]|$)", re.IGNORECASE)
_FIRST_PAUSE_S: Final = 0.05  # a small photo takes a fifth of a second
_GROWTH: Final = 1.5
_LONGEST_PAUSE_S: Final = 2.0

Prefer = Annotated[
    str | None,
    Header(
        alias="Prefer",
        max_length=200,
        description=f"`wait=10` answers when the job has ended, or after 10 s (up to {LONGEST_S}).",
    ),
]


class Ending(Protocol):
    """What may be waited for, such as a job."""

    @property
    def ended(self) -> bool: ...


Found = TypeVar("Found", bound=Ending)


def preferred_wait(prefer: str | None, *, longest_s: int = LONGEST_S) -> int:
    """Return how many seconds a `Prefer` header asks to wait, at most `longest_s`; else 0."""
    asked = _WAIT.search(prefer or "")
    return min(int(asked[1]), longest_s) if asked else 0


def await_end(
    find: Callable[[], Found],
    seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Found:
    """Return what `find` returns once it has ended, or after so many seconds."""
    until, pause = clock() + seconds, _FIRST_PAUSE_S
    found = find()
    while not found.ended and (left := until - clock()) > 0:
        sleep(min(pause, left))
        pause = min(_GROWTH * pause, _LONGEST_PAUSE_S)
        found = find()
    return found
