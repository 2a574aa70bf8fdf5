"""What a build leaves behind about an image, so that a release can ask for it later.

- `sbom.cdx.json`: CycloneDX, every package that the container locks, with its hashes.
- `selftest.json`: what the image proved of itself.
- `provenance.json`: who built the image out of what: an in-toto statement with SLSA's provenance,
  in a DSSE envelope signed by a key of KMS. It vouches for the other two.

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
OTHERS: Final = (SBOM, SELFTEST)  # what the provenance vouches for

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "https://matteline.example/container/v1"


@dataclass(frozen=True)
class Built:
    """An image, and where it came from. `digest` is `sha256:…`, `content` what it was made of."""

    container: str
    version: str
    digest: str
    content: str
    revision: str
    build: str


class SelfTestUnread(ValueError):
    """The image did not say what it proved of itself."""


def read_selftest(output: str, *, container: str, version: str) -> dict[str, Any]:
    """`selftest.json` out of what the self-test printed: its last line is the verdict."""
    lines = output.strip().splitlines()
    try:
        verdict = json.loads(lines[-1])
        passed, seen = verdict["passed"], verdict["seen"]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise SelfTestUnread(f"the self-test of {container} ended without a verdict") from error
    if verdict["selftest"] != container:
        raise SelfTestUnread(f"this is the self-test of {verdict['selftest']}, not of {container}")
    told = {"container": container, "version": version, "passed": passed, "checks": seen}
    return told if passed else {**told, "reason": verdict.get("reason", "")}


def name_sbom(document: dict[str, Any], *, container: str, version: str) -> dict[str, Any]:
    """The bill of materials, told what it is of."""
    component = {"type": "container", "name": container, "version": version}
    return {**document, "metadata": {**document.get("metadata", {}), "component": component}}


def statement_of(built: Built, vouched: Mapping[str, bytes]) -> dict[str, Any]:
    """in-toto's statement about one image; `vouched` are the other pieces of evidence."""
    byproducts = [
        {"name": name, "digest": {"sha256": hashlib.sha256(content).hexdigest()}}
        for name, content in sorted(vouched.items())
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
    """A statement in a DSSE envelope; `signature` is `key`'s, in base64."""
    return {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": key, "sig": signature}],
    }


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """The bytes that DSSE signs, so that a payload cannot be taken for one of another type."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
