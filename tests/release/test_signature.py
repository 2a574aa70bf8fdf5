"""Signature checks: KMS raises for a wrong signature, moto returns False."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.functions.release_gate.sources import Sources


class KMSInvalidSignatureException(Exception):
    """KMS raises this for a wrong signature."""


class Kms:
    """A KMS client that accepts one signature."""

    exceptions = SimpleNamespace(KMSInvalidSignatureException=KMSInvalidSignatureException)

    def verify(self, **asked: Any) -> dict[str, Any]:
        if asked["Signature"] != b"right":
            raise KMSInvalidSignatureException
        return {"SignatureValid": True}


SOURCES = Sources(ecr=None, s3=None, kms=Kms())


@pytest.mark.parametrize(
    ("signatures", "signed"),
    [((b"right",), True), ((b"wrong",), False), ((b"wrong", b"right"), True), ((), False)],
)
def test_one_right_signature_is_enough(
    signatures: tuple[bytes, ...],
    signed: bool,  # noqa: FBT001
) -> None:
    assert SOURCES.is_signed_by("alias/p", b"message", signatures) is signed


def test_a_message_over_the_kms_limit_is_not_signed() -> None:
    assert SOURCES.is_signed_by("alias/p", bytes(4096), (b"right",)) is True
    assert SOURCES.is_signed_by("alias/p", bytes(4097), (b"right",)) is False
