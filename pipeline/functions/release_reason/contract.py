"""Define ReadReason's input and result, as plain JSON values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReadReason:
    """A release that failed with `error`; `token` is the ClientRequestToken of its stack events."""

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
        """Return the key prefix of this image's smoke-test verdicts."""
        return f"releases/{self.container}/{self.digest.removeprefix('sha256:')}/smoke/"


@dataclass(frozen=True)
class ReasonRead:
    """A named error of `pipeline.releases.errors`, and its cause with a hint."""

    error: str
    cause: str
