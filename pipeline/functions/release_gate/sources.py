"""Read an image's scan, signature and evidence from AWS. Only this module of the gate calls AWS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from pipeline.functions.release_gate.contract import JudgeImage
from pipeline.functions.release_gate.policy import Finding

_SCANNED: Final = frozenset({"COMPLETE", "ACTIVE"})
_MISSING: Final = frozenset({"NoSuchKey", "404"})
_MOST_SIGNED_BYTES: Final = 4096  # KMS's limit for a raw message
_ALGORITHM: Final = "ECDSA_SHA_384"


class ScanNotOver(Exception):
    """The image scan is not complete, so findings may be missing."""


@dataclass(frozen=True)
class Sources:
    """An image's sources of evidence: boto3 clients of ECR, S3 and KMS."""

    ecr: Any
    s3: Any
    kms: Any

    def findings(self, job: JudgeImage) -> tuple[Finding, ...]:
        """Return all findings, basic and enhanced. Raises ScanNotOver if the scan is incomplete."""
        return findings_of(self.ecr, job.repository, job.digest)

    def signing_statuses(self, job: JudgeImage) -> tuple[str, ...]:
        """Return the status of every signature that ECR's signing rules require."""
        answer = self.ecr.describe_image_signing_status(
            repositoryName=job.repository, imageId={"imageDigest": job.digest}
        )
        return tuple(each["status"] for each in answer.get("signingStatuses", []))

    def read(self, job: JudgeImage, name: str) -> bytes | None:
        """Return an evidence file's content, or None if it is missing."""
        key = f"{job.evidence_prefix}/{name}"
        try:
            content: bytes = self.s3.get_object(Bucket=job.evidence_bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in _MISSING:
                return None
            raise
        return content

    def write(self, job: JudgeImage, name: str, content: bytes) -> str:
        """Store a file with the image's evidence and return its S3 URI."""
        key = f"{job.evidence_prefix}/{name}"
        self.s3.put_object(
            Bucket=job.evidence_bucket, Key=key, Body=content, ContentType="application/json"
        )
        return f"s3://{job.evidence_bucket}/{key}"

    def is_signed_by(self, key: str, message: bytes, signatures: tuple[bytes, ...]) -> bool:
        """Return True if the key made one of the signatures over exactly these bytes."""
        if len(message) > _MOST_SIGNED_BYTES:
            return False
        return any(self._verifies(key, message, signature) for signature in signatures)

    def _verifies(self, key: str, message: bytes, signature: bytes) -> bool:
        try:
            answer = self.kms.verify(
                KeyId=key,
                Message=message,
                MessageType="RAW",
                Signature=signature,
                SigningAlgorithm=_ALGORITHM,
            )
        except self.kms.exceptions.KMSInvalidSignatureException:
            return False
        return bool(answer["SignatureValid"])


def findings_of(ecr: Any, repository: str, digest: str) -> tuple[Finding, ...]:  # noqa: ANN401
    """Return all findings of an image. Raises ScanNotOver if the scan is incomplete."""
    found: list[Finding] = []
    for page in ecr.get_paginator("describe_image_scan_findings").paginate(
        repositoryName=repository, imageId={"imageDigest": digest}
    ):
        status = page["imageScanStatus"]["status"]
        if status not in _SCANNED:
            raise ScanNotOver(f"its scan has status {status}")
        found += _findings(page.get("imageScanFindings", {}))
    return tuple(found)


def _findings(page: Mapping[str, Any]) -> Iterator[Finding]:
    for basic in page.get("findings", []):
        yield Finding(basic["name"], basic["severity"])
    for enhanced in page.get("enhancedFindings", []):
        if enhanced.get("status") != "CLOSED":
            package = enhanced.get("packageVulnerabilityDetails", {})
            name = package.get("vulnerabilityId") or enhanced["title"]
            yield Finding(name, enhanced["severity"])
