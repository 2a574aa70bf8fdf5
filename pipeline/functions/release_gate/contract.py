"""Define JudgeImage's input and result, as plain JSON values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class JudgeImage:
    """An image to check. `digest` is `sha256:…`; `signing_key` is the KMS key builds sign with.

    `version` is the image's tag: a version, or that of its GPU image.
    """

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
    """The gate's verdict: `reason` lists all problems; `document` is the full verdict's URI."""

    passed: bool
    problems: tuple[str, ...]
    waived: tuple[str, ...]
    reason: str
    document: str
