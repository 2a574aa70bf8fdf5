"""Build the evidence about an image that the release gate verifies.

- `sbom.cdx.json`: CycloneDX bill of materials: every locked package with its hashes.
- `selftest.json`: the verdict of the image's self-test.
- `provenance.json`: builder and sources of the image: an in-toto statement with SLSA provenance, in
  a DSSE envelope signed with a KMS key. It holds the digests of the other two files.

Sources: in-toto Attestation Framework v1, SLSA v1, Dead Simple Signing Envelope v1.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

PROVENANCE: Final = "provenance.json"
SBOM: Final = "sbom.cdx.json"
SELFTEST: Final = "selftest.json"
OTHERS: Final = (SBOM, SELFTEST)  # whose digests the provenance holds

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "https://matteline.example/container/v1"


@dataclass(frozen=True)
class Built:
    """An image and its origin: `digest` is `sha256:…`, `content` the digest of its content."""

    container: str
    version: str
    digest: str
    content: str
    revision: str
    build: str


class SelfTestUnread(ValueError):
    """The self-test printed no verdict, or one of another container."""


def read_selftest(output: str, *, container: str, version: str) -> dict[str, Any]:
    """Build `selftest.json` from the self-test's output, whose last line is the verdict.

    Raises SelfTestUnread.
    """
    lines = output.strip().splitlines()
    try:
        verdict = json.loads(lines[-1])
        passed, seen = verdict["passed"], verdict["seen"]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise SelfTestUnread(f"the self-test of {container} ended without a verdict") from error
    if verdict["selftest"] != container:
        raise SelfTestUnread(f"the self-test is of {verdict['selftest']}, not of {container}")
    record = {"container": container, "version": version, "passed": passed, "checks": seen}
    return record if passed else {**record, "reason": verdict.get("reason", "")}


def name_sbom(document: dict[str, Any], *, container: str, version: str) -> dict[str, Any]:
    """Add the container's name and version to a bill of materials."""
    component = {"type": "container", "name": container, "version": version}
    return {**document, "metadata": {**document.get("metadata", {}), "component": component}}


def statement_of(built: Built, evidence: Mapping[str, bytes]) -> dict[str, Any]:
    """Build the in-toto statement about an image; `evidence` is the other files, by name."""
    byproducts = [
        {"name": name, "digest": {"sha256": hashlib.sha256(content).hexdigest()}}
        for name, content in sorted(evidence.items())
    ]
    sources = [
        {"name": "git", "digest": {"gitCommit": built.revision}},
        {"name": "content", "digest": {"sha256": built.content}},
    ]
    subject = {"name": built.container, "digest": {"sha256": built.digest.removeprefix("sha256:")}}
    return {
        "_type": STATEMENT_TYPE,
        "subject": [subject],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"container": built.container, "version": built.version},
                "resolvedDependencies": sources,
            },
            "runDetails": {"builder": {"id": built.build}, "byproducts": byproducts},
        },
    }


def envelope_of(payload: bytes, *, key: str, signature: str) -> dict[str, Any]:
    """Wrap a statement in a DSSE envelope. `signature` is in base64, made with `key`."""
    return {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": key, "sig": signature}],
    }


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that DSSE signs: they include the type, so that it cannot be swapped."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
