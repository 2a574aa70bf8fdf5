"""Make the evidence a build leaves, correct unless a test changes it."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from pipeline.releases import evidence
from pipeline.releases.evidence import (
    PAYLOAD_TYPE,
    SBOM,
    SELFTEST,
    Built,
    pre_authentication,
    statement_of,
)

BUILD: Final = "arn:aws:codebuild:us-east-1:123456789012:build/p:1"
SIGNING: Final = "ECDSA_SHA_384"


@dataclass(frozen=True)
class Evidence:
    """The three evidence files of an image; None leaves a file out."""

    sbom: bytes | None
    selftest: bytes | None
    statement: dict[str, Any] | None


def evidence_of(container: str, version: str, digest: str) -> Evidence:
    sbom = as_json(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "metadata": {"component": {"name": container, "version": version}},
            "components": [{"type": "library", "name": "numpy", "version": "2.4.6"}],
        }
    )
    selftest = as_json({"container": container, "version": version, "passed": True, "checks": {}})
    built = Built(container, version, digest, content="0" * 64, revision="0" * 40, build=BUILD)
    return Evidence(sbom, selftest, statement_of(built, {SBOM: sbom, SELFTEST: selftest}))


def envelope_of(statement: dict[str, Any], kms: Any, key: str) -> bytes:
    """Return the statement in a DSSE envelope, signed with a KMS key."""
    payload = json.dumps(statement).encode()
    message = pre_authentication(PAYLOAD_TYPE, payload)
    signed = kms.sign(KeyId=key, Message=message, MessageType="RAW", SigningAlgorithm=SIGNING)
    signature = base64.b64encode(signed["Signature"]).decode()
    return as_json(evidence.envelope_of(payload, key=key, signature=signature))


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
