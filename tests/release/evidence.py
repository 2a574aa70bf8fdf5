"""What a build leaves behind, made by hand: right in everything, unless a test says otherwise."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
SIGNING: Final = "ECDSA_SHA_384"


@dataclass(frozen=True)
class Evidence:
    """The three files of an image. What is None is left out."""

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
    vouched = {"sbom.cdx.json": sha256(sbom), "selftest.json": sha256(selftest)}
    return Evidence(sbom, selftest, statement_of(container, version, digest, vouched))


def statement_of(
    container: str, version: str, digest: str, vouched: dict[str, str]
) -> dict[str, Any]:
    """in-toto's statement with SLSA's provenance, as a build signs it."""
    byproducts = [{"name": name, "digest": {"sha256": sha}} for name, sha in vouched.items()]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": container, "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "https://matteline.example/container/v1",
                "externalParameters": {"container": container, "version": version},
            },
            "runDetails": {
                "builder": {"id": "arn:aws:codebuild:us-east-1:123456789012:project/p"},
                "byproducts": byproducts,
            },
        },
    }


def envelope_of(statement: dict[str, Any], kms: Any, key: str) -> bytes:
    """The statement in a DSSE envelope, signed by a key of KMS."""
    payload = json.dumps(statement).encode()
    kind = PAYLOAD_TYPE.encode()
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    signed = kms.sign(KeyId=key, Message=message, MessageType="RAW", SigningAlgorithm=SIGNING)
    signature = base64.b64encode(signed["Signature"]).decode()
    return as_json(
        {
            "payloadType": PAYLOAD_TYPE,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [{"keyid": key, "sig": signature}],
        }
    )


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
