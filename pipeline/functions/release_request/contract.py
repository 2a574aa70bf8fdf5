"""What ReadRequest is given and what it returns, as plain JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Action = Literal["deploy", "rollback", "rehearse"]


@dataclass(frozen=True)
class ReadRequest:
    """`input` is the execution's, untouched: what a person typed, or a CodeBuild event."""

    input: object
    build_project_prefix: str
    lease_s: int


@dataclass(frozen=True)
class Release:
    """One container's way through the release machine.

    Times are seconds since 1970, in digits. A release holds its container until `held_until`, and
    may take over what was held until before `claims_before`.
    """

    container: str
    version: str
    action: str
    release_id: str
    built_digest: str | None
    claims_before: str
    held_until: str


@dataclass(frozen=True)
class RequestRead:
    """`refusal` says why there is nothing to do; the release then holds what could be read."""

    release: Release
    refusal: str | None = None
