"""What ReadReason is given and what it returns, as plain JSON."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReadReason:
    """`error` is how the release ended, `token` what CloudFormation marked its events with."""

    error: str
    stack: str
    status: str
    token: str
    container: str
    version: str
    evidence_bucket: str
    digest: str

    @property
    def smoke_prefix(self) -> str:
        """Where the smoke tests left what they saw of this image."""
        return f"releases/{self.container}/{self.digest.removeprefix('sha256:')}/smoke/"


@dataclass(frozen=True)
class ReasonRead:
    """The named error of `pipeline.releases.errors`, and its cause with a hint."""

    error: str
    cause: str
