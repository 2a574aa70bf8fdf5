"""Messages are signed as Standard Webhooks says, and both secrets sign while one is rotated."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.webhooks.signing import Secrets, new_secret, sign
from tests.receivers import Received, verifies


def test_a_signature_is_the_one_of_the_reference() -> None:
    """The message, secret and signature that the reference libraries test themselves with."""
    headers = sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        Secrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        1614265330.9,
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_secret_has_the_form_and_the_length_of_the_standard() -> None:
    first, second = new_secret(), new_secret()

    assert first != second
    assert first.startswith("whsec_")
    assert 24 <= len(base64.b64decode(first.removeprefix("whsec_"), validate=True)) <= 64


def test_both_secrets_sign_until_the_old_one_ends() -> None:
    old = Secrets(new_secret())
    now = datetime.now(UTC)
    rotated = Secrets.read(old.rotated(now + timedelta(hours=1)).written)
    during = sign("msg_1", b"{}", rotated, now.timestamp())
    after = sign("msg_1", b"{}", rotated, now.timestamp() + 3600)

    assert len(during["webhook-signature"].split(" ")) == 2
    assert len(after["webhook-signature"].split(" ")) == 1
    for secret in (old.current, rotated.current):
        assert verifies(secret, Received("/", during, b"{}"))
    assert not verifies(old.current, Received("/", after | {"webhook-timestamp": "1"}, b"{}"))


def test_another_body_does_not_verify() -> None:
    secrets = Secrets(new_secret())
    headers = sign("msg_1", b"{}", secrets, datetime.now(UTC).timestamp())

    assert verifies(secrets.current, Received("/", headers, b"{}"))
    assert not verifies(secrets.current, Received("/", headers, b"{ }"))
    assert not verifies(new_secret(), Received("/", headers, b"{}"))


@pytest.mark.parametrize("text", ["", "whsec_x", "[]", json.dumps({"other": "whsec_x"})])
def test_what_is_no_secret_is_refused(text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        Secrets.read(text)
