"""Define ReadRequest's input and result, as plain JSON values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Action = Literal["deploy", "rollback", "rehearse"]


@dataclass(frozen=True)
class ReadRequest:
    """The execution's `input`, unchanged: an operator's request or a CodeBuild event.

    `batch` is what the stage has of AWS Batch.
    """

    input: object
    build_project_prefix: str
    lease_s: int
    batch: str = "off"


@dataclass(frozen=True)
class Release:
    """One container's release, as the release machine carries it.

    Times are seconds since 1970, as decimal text. The release claims its container until
    `held_until`; it may take over a claim that ended before `claims_before`. `gpu_tag` is the tag
    of the version's GPU image, if jobs of the stage use one.
    """

    container: str
    version: str
    action: str
    release_id: str
    built_digest: str | None
    gpu_tag: str | None
    claims_before: str
    held_until: str


@dataclass(frozen=True)
class RequestRead:
    """The release, or why it was rejected: `refusal`, with the fields that could be read."""

    release: Release
    refusal: str | None = None
