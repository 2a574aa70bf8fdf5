"""A secret is read by name, or it is missing, or Secrets Manager is not to be had."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from pipeline.errors import StoreUnavailable
from pipeline.secrets import SecretsManager


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield boto3.client("secretsmanager")


def test_a_secret_is_read_by_its_name(client: Any) -> None:
    client.create_secret(Name="hub/token", SecretString="open sesame")

    assert SecretsManager().read("hub/token") == "open sesame"


def test_a_secret_that_is_not_there_is_a_key_error(client: Any) -> None:
    client.create_secret(Name="hub", SecretString="open sesame")

    with pytest.raises(KeyError, match="hub/token"):
        SecretsManager().read("hub/token")


def test_a_secret_that_holds_no_text_is_a_key_error(client: Any) -> None:
    client.create_secret(Name="hub/token", SecretBinary=b"\x00")

    with pytest.raises(KeyError):
        SecretsManager().read("hub/token")


def test_a_secret_about_to_be_deleted_is_a_key_error(client: Any) -> None:
    client.create_secret(Name="hub/token", SecretString="open sesame")
    client.delete_secret(SecretId="hub/token")

    with pytest.raises(KeyError):
        SecretsManager().read("hub/token")


def test_a_closed_door_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    with pytest.raises(StoreUnavailable, match="Secrets Manager did not answer"):
        SecretsManager().read("hub/token")
