"""Verify that a build left all its evidence, and that the evidence is about this image.

- `provenance.json`: a signed DSSE envelope around an in-toto statement of SLSA provenance. It
  has the image's digest and the checksums of the other two.
- `sbom.cdx.json`: a CycloneDX bill of materials of this container and version.
- `selftest.json`: the result of the image's self-test.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pipeline.releases.evidence import (
    OTHERS,
    PAYLOAD_TYPE,
    PREDICATE_TYPE,
    PROVENANCE,
    SBOM,
    SELFTEST,
    STATEMENT_TYPE,
    pre_authentication,
)

FILES: Final = (PROVENANCE, *OTHERS)


class Unreadable(ValueError):
    """An evidence file is malformed or of the wrong type."""


@dataclass(frozen=True)
class Envelope:
    """A DSSE envelope: the signed bytes, the statement in them, and the signatures."""

    signed: bytes
    statement: Mapping[str, Any]
    signatures: tuple[bytes, ...]


def read_envelope(content: bytes) -> Envelope:
    """Read a DSSE envelope around an in-toto statement. Raises Unreadable if it is malformed."""
    document = _object(content)
    try:
        payload = base64.b64decode(document["payload"], validate=True)
        signatures = tuple(
            base64.b64decode(each["sig"], validate=True) for each in document["signatures"]
        )
    except (KeyError, TypeError, binascii.Error) as error:
        raise Unreadable(f"not a DSSE envelope ({error!r})") from error
    if document.get("payloadType") != PAYLOAD_TYPE:
        raise Unreadable(f"of payload type {document.get('payloadType')!r}")
    return Envelope(pre_authentication(PAYLOAD_TYPE, payload), _object(payload), signatures)


def statement_problems(
    statement: Mapping[str, Any], *, container: str, version: str, digest_hex: str
) -> Iterator[str]:
    """Yield why the statement is not SLSA provenance of this image."""
    if (statement.get("_type"), statement.get("predicateType")) != (STATEMENT_TYPE, PREDICATE_TYPE):
        yield f"{PROVENANCE} is not SLSA provenance"
        return
    expected = {"name": container, "digest": {"sha256": digest_hex}}
    if statement.get("subject") != [expected]:
        yield f"{PROVENANCE} is not about sha256:{digest_hex} of {container}"
    stated = _at(statement, "predicate", "buildDefinition", "externalParameters")
    if (stated.get("container"), stated.get("version")) != (container, version):
        yield f"{PROVENANCE} is of {stated.get('container')} {stated.get('version')}"


def checksum_problems(statement: Mapping[str, Any], files: Mapping[str, bytes]) -> Iterator[str]:
    """Yield the files whose checksum differs from the statement's."""
    listed = _at(statement, "predicate", "runDetails").get("byproducts") or []
    vouched = {each.get("name"): each.get("digest", {}).get("sha256") for each in listed}
    for name, content in files.items():
        if vouched.get(name) != hashlib.sha256(content).hexdigest():
            yield f"{name} does not have the checksum in {PROVENANCE}"


def sbom_problems(content: bytes, *, container: str, version: str) -> Iterator[str]:
    try:
        document = _object(content)
    except Unreadable as error:
        yield f"{SBOM} is {error}"
        return
    if document.get("bomFormat") != "CycloneDX":
        yield f"{SBOM} is not a CycloneDX document"
    if not document.get("components"):
        yield f"{SBOM} lists no components"
    subject = _at(document, "metadata", "component")
    if (subject.get("name"), subject.get("version")) != (container, version):
        yield f"{SBOM} is of {subject.get('name')} {subject.get('version')}"


def selftest_problems(content: bytes, *, container: str, version: str) -> Iterator[str]:
    try:
        document = _object(content)
    except Unreadable as error:
        yield f"{SELFTEST} is {error}"
        return
    if (document.get("container"), document.get("version")) != (container, version):
        yield f"{SELFTEST} is of {document.get('container')} {document.get('version')}"
    if document.get("passed") is not True:
        yield f"the self-test failed: {document.get('reason', 'it gives no reason')}"


def _object(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise Unreadable("not JSON") from error
    if not isinstance(document, dict):
        raise Unreadable("not a JSON object")
    return document


def _at(document: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        document = document.get(name) or {}
    return document
