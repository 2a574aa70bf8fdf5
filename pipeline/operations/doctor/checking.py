"""Run checks, and say of each whether it passed and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

Verdict = Literal["ok", "warn", "fail", "unknown"]
S = TypeVar("S")

_AT_ONCE: Final = 8
_DENIED: Final = re.compile(r"AccessDenied|Unauthorized|AuthorizationError|Forbidden|^403$")
_ACTION: Final = re.compile(r"perform:? ([\w-]+:\w+)")


@dataclass(frozen=True)
class Finding:
    """What a check found: `do` says what to do about it, and is empty if it is ok."""

    check: str
    verdict: Verdict
    found: str
    do: str = ""


@dataclass(frozen=True)
class Said:
    """A finding without the name of its check."""

    verdict: Verdict
    found: str
    do: str = ""


def ok(found: str) -> Said:
    return Said("ok", found)


def warn(found: str, do: str) -> Said:
    return Said("warn", found, do)


def fail(found: str, do: str) -> Said:
    return Said("fail", found, do)


@dataclass(frozen=True)
class Check(Generic[S]):
    """One check of a subject, and the IAM actions that it needs, if any."""

    name: str
    look: Callable[[S], Said]
    actions: tuple[str, ...] = ()

    def run(self, subject: S) -> Finding:
        """Return what it finds; `unknown` if AWS denies it or does not answer."""
        try:
            said = self.look(subject)
        except ClientError as error:
            said = self._refused(error)
        except BotoCoreError as error:
            said = Said("unknown", f"AWS did not answer: {error}", "Try again later.")
        return Finding(self.name, said.verdict, said.found, said.do)

    def _refused(self, error: ClientError) -> Said:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if not _DENIED.search(code):
            return Said("unknown", f"{code}: {message}", "See what AWS says, and try again.")
        named = _ACTION.search(message)
        action = named[1] if named else " and ".join(self.actions)
        return Said("unknown", f"not allowed: {action}", f"Allow {action} to know.")


def run_checks(checks: Sequence[Check[S]], subject: S) -> list[Finding]:
    """Run checks at the same time, and return what they find, in order."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(lambda check: check.run(subject), checks))


def actions_of(checks: Iterable[Check[S]]) -> list[str]:
    """Return the IAM actions that all checks need together."""
    return sorted({action for check in checks for action in check.actions})
