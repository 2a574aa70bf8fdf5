"""A secret is read by name; a missing secret, a denial and an outage raise different errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError, ParamValidationError
from moto import mock_aws

from pipeline.aws.secrets import SecretsManager, Unreadable
from pipeline.errors import StoreUnavailable
from tests.answers import Serve


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield boto3.client("secretsmanager")


def test_a_secret_is_read_by_its_name(client: Any) -> None:
    client.create_secret(Name="hub/token", SecretString="open sesame")

    assert SecretsManager().read("hub/token") == "open sesame"


def test_a_missing_secret_is_a_key_error(client: Any) -> None:
    client.create_secret(Name="hub", SecretString="open sesame")

    with pytest.raises(KeyError, match="hub/token"):
        SecretsManager().read("hub/token")


def test_a_secret_without_text_is_unreadable(client: Any) -> None:
    client.create_secret(Name="hub/token", SecretBinary=b"\x00")

    with pytest.raises(Unreadable, match="it holds bytes, not text"):
        SecretsManager().read("hub/token")


def test_a_secret_without_a_name_is_a_bug(client: Any) -> None:  # noqa: ARG001
    with pytest.raises(ParamValidationError):
        SecretsManager().read("")


def test_a_secret_scheduled_for_deletion_is_a_key_error(client: Any) -> None:
    client.create_secret(Name="hub/token", SecretString="open sesame")
    client.delete_secret(SecretId="hub/token")

    with pytest.raises(KeyError):
        SecretsManager().read("hub/token")


def reached(monkeypatch: pytest.MonkeyPatch, port: int) -> SecretsManager:
    """Return Secrets Manager at a port of this machine, without retries."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return SecretsManager()


def test_a_refused_connection_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreUnavailable, match="Secrets Manager did not answer"):
        reached(monkeypatch, 9).read("hub/token")


@pytest.mark.parametrize("code", ["AccessDeniedException", "DecryptionFailure"])
def test_a_denied_secret_is_unreadable(
    monkeypatch: pytest.MonkeyPatch, serve: Serve, code: str
) -> None:
    port = serve(400, f'{{"__type": "{code}"}}'.encode())

    with pytest.raises(Unreadable, match=f"Secrets Manager answered {code}"):
        reached(monkeypatch, port).read("hub/token")


@pytest.mark.parametrize("code", ["ThrottlingException", "ExpiredTokenException"])
def test_trouble_that_passes_is_an_outage(
    monkeypatch: pytest.MonkeyPatch, serve: Serve, code: str
) -> None:
    port = serve(400, f'{{"__type": "{code}"}}'.encode())

    with pytest.raises(StoreUnavailable, match=f"Secrets Manager answered {code}"):
        reached(monkeypatch, port).read("hub/token")


def test_a_function_without_credentials_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    manager = reached(monkeypatch, 9)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)

    with pytest.raises(NoCredentialsError):
        manager.read("hub/token")
