"""An operator registers addresses that may be sent to, and no others."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import stage_names
from pipeline.local.deployment import create_tables
from pipeline.operations.site import Site
from pipeline.operations.webhooks import (
    NoSuchWebhook,
    TooManyWebhooks,
    add_webhook,
    enable_webhook,
    list_webhooks,
    remove_webhook,
    rotate_secret,
)
from pipeline.webhooks.errors import AddressNotPublic, ReceiverUnavailable
from pipeline.webhooks.registered import EVENTS, MOST
from tests.conftest import ROOT

NAMES = stage_names("dev", account="123456789012", region="eu-central-1")


def public(_host: str, _port: int) -> list[str]:
    return ["93.184.215.14"]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A stage on AWS."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", NAMES.region)
    monkeypatch.setattr("pipeline.local.deployment.NAMES", NAMES)
    with mock_aws():
        create_tables(Blueprint.read(ROOT).resources, boto3.client("dynamodb"))
        yield Site(NAMES, boto3.Session(), ())


def test_a_webhook_is_listed_with_what_it_gets_and_its_secret_is_not(site: Site) -> None:
    added = add_webhook(site, "https://example.com/a", resolve=public)
    picky = add_webhook(
        site, "https://example.com/b", events=["job.failed"], prefix="shop/", resolve=public
    )

    listed = {each.webhook_id: each for each in list_webhooks(site)}

    assert listed == {each.webhook.webhook_id: each.webhook for each in (added, picky)}
    assert set(added.webhook.events) == set(EVENTS)
    assert "whsec" not in json.dumps([vars(each) for each in listed.values()])
    name = NAMES.webhook_secret(added.webhook.webhook_id)
    stored = site.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    assert json.loads(stored)["current"] == added.secret


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/", "http://example.com/", "https://127.0.0.1/", "https://[::1]/"]
)
def test_a_stage_on_aws_sends_to_no_private_address(site: Site, url: str) -> None:
    with pytest.raises(AddressNotPublic):
        add_webhook(site, url)

    assert list_webhooks(site) == []
    assert site.client("secretsmanager").list_secrets()["SecretList"] == []


def test_a_name_that_cannot_be_resolved_is_not_registered(site: Site) -> None:
    with pytest.raises(ReceiverUnavailable):
        add_webhook(site, "https://example.com/", resolve=lambda *_: [])


def test_there_are_no_more_than_one_state_reads(site: Site) -> None:
    for number in range(MOST):
        add_webhook(site, f"https://example.com/{number}", resolve=public)

    with pytest.raises(TooManyWebhooks):
        add_webhook(site, "https://example.com/more", resolve=public)


def test_a_removed_webhook_has_no_secret_left(site: Site) -> None:
    added = add_webhook(site, "https://example.com/", resolve=public)

    remove_webhook(site, added.webhook.webhook_id)

    assert list_webhooks(site) == []
    assert site.client("secretsmanager").list_secrets()["SecretList"] == []


@pytest.mark.parametrize("act", [rotate_secret, enable_webhook, remove_webhook])
def test_there_is_no_other_webhook(site: Site, act: object) -> None:
    with pytest.raises(NoSuchWebhook):
        act(site, "wh_0")  # type: ignore[operator]
