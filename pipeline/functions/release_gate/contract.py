"""What JudgeImage is given and what it returns, as plain JSON."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class JudgeImage:
    """`digest` is `sha256:…`; `signing_key` names the KMS key that builds sign with."""

    container: str
    version: str
    digest: str
    repository: str
    evidence_bucket: str
    signing_key: str
    execution: str

    @property
    def digest_hex(self) -> str:
        return self.digest.removeprefix("sha256:")

    @property
    def evidence_prefix(self) -> str:
        return f"releases/{self.container}/{self.digest_hex}"


@dataclass(frozen=True)
class ImageJudged:
    """`reason` has every problem, a line each; `document` is where the verdict lies in full."""

    passed: bool
    problems: tuple[str, ...]
    waived: tuple[str, ...]
    reason: str
    document: str
