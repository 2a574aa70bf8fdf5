"""One send: signed with the webhook's secrets, to its present address, or an error with a name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber

from pipeline.aws.secrets import SecretsManager
from pipeline.declared.names import LOCAL_NAMES
from pipeline.errors import StoreUnavailable
from pipeline.functions.webhook_sender.contract import SendWebhook, WebhookSent
from pipeline.functions.webhook_sender.sender import Sender
from pipeline.operations.site import Site
from pipeline.operations.webhooks import (
    Registered,
    add_webhook,
    enable_webhook,
    list_webhooks,
    remove_webhook,
    rotate_secret,
)
from pipeline.webhooks.errors import (
    AddressNotPublic,
    ReceiverGone,
    ReceiverUnavailable,
    SecretUnusable,
    WebhookDisabled,
    WebhookRemoved,
)
from tests.receivers import Receiver, receiver, status, verifies


@pytest.fixture
def here() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def registered(site: Site, here: Receiver) -> Registered:
    return add_webhook(site, here.url)


@pytest.fixture
def sender(site: Site) -> Sender:
    return Sender(
        site.client("dynamodb"),
        SecretsManager(),
        LOCAL_NAMES.table("webhooks"),
        LOCAL_NAMES.webhook_secret(""),
        local_receivers=True,
    )


def message(registered: Registered) -> SendWebhook:
    return SendWebhook("msg_1", registered.webhook.webhook_id, '{"type":"job.done"}')


def test_what_arrives_verifies(sender: Sender, registered: Registered, here: Receiver) -> None:
    assert sender.send(message(registered)) == WebhookSent(204)

    (received,) = here.received
    assert received.headers["webhook-id"] == "msg_1"
    assert verifies(registered.secret, received)


def test_both_secrets_verify_after_a_rotation_and_only_the_new_one_without_overlap(
    sender: Sender, site: Site, registered: Registered, here: Receiver
) -> None:
    webhook_id = registered.webhook.webhook_id
    second = rotate_secret(site, webhook_id)
    sender.send(message(registered))
    third = rotate_secret(site, webhook_id, signs_along=timedelta(0))
    sender.send(message(registered))

    during, after = here.received
    secrets = (registered.secret, second, third)
    assert [verifies(secret, during) for secret in secrets] == [True, True, False]
    assert [verifies(secret, after) for secret in secrets] == [False, False, True]


@pytest.mark.parametrize("code", [302, 400, 404, 429, 500, 503])
def test_any_other_answer_is_tried_again(
    code: int, sender: Sender, registered: Registered, here: Receiver
) -> None:
    here.replies = [status(code, b"why")]

    with pytest.raises(ReceiverUnavailable, match=f"answered {code}: why"):
        sender.send(message(registered))


def test_410_disables_the_webhook_until_it_is_enabled(
    sender: Sender, site: Site, registered: Registered, here: Receiver
) -> None:
    here.replies = [status(410), status(200)]
    with pytest.raises(ReceiverGone):
        sender.send(message(registered))
    with pytest.raises(WebhookDisabled, match="410"):
        sender.send(message(registered))
    (disabled,) = list_webhooks(site)

    enable_webhook(site, registered.webhook.webhook_id)

    assert "410" in disabled.disabled
    assert sender.send(message(registered)) == WebhookSent(200)
    assert len(here.received) == 2


def test_a_webhook_that_is_removed_meanwhile_stays_removed(
    sender: Sender, site: Site, registered: Registered, here: Receiver
) -> None:
    def remove_and_refuse(request: Any) -> None:
        remove_webhook(site, registered.webhook.webhook_id)
        status(410)(request)

    here.replies = [remove_and_refuse]
    with pytest.raises(ReceiverGone):
        sender.send(message(registered))

    assert list_webhooks(site) == []
    with pytest.raises(WebhookRemoved):
        sender.send(message(registered))


def test_without_the_local_clouds_setting_nothing_is_sent_to_this_computer(
    sender: Sender, registered: Registered, here: Receiver
) -> None:
    with pytest.raises(AddressNotPublic):
        replace(sender, local_receivers=False).send(message(registered))

    assert here.received == []


def test_only_the_local_clouds_variable_allows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", LOCAL_NAMES.region)
    names = {"WEBHOOKS_TABLE": "t", "WEBHOOK_SECRET_PREFIX": "p/"}

    assert not Sender.connect(names).local_receivers
    assert Sender.connect({**names, "MATTELINE_LOCAL_RECEIVERS": "1"}).local_receivers


def test_an_address_that_became_private_is_not_connected_to(
    sender: Sender, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name had a public address when it was registered, and has another one now."""
    added = add_webhook(site, "https://rebinding.example/", resolve=lambda *_: ["93.184.215.14"])
    monkeypatch.setattr(
        "socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("169.254.169.254", 443))]
    )

    with pytest.raises(AddressNotPublic, match=r"169\.254\.169\.254"):
        sender.send(message(added))


@pytest.mark.parametrize(
    "content",
    [
        "", "{}", "[]", "whsec_x", '"whsec_x"', '{"whsec_x": ""}', '{"current": "whsec_x"}',
        '{"current": 1}', '{"current": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}',
        '{"current": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "previous": "whsec_x"}',
        '{"current": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "expires_at": "now"}',
        '{"current": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_x": ""}',
    ],
)  # fmt: skip
def test_a_secret_that_is_none_is_named_but_not_shown_and_a_rotation_mends_it(
    content: str, sender: Sender, site: Site, registered: Registered, here: Receiver
) -> None:
    site.client("secretsmanager").put_secret_value(
        SecretId=LOCAL_NAMES.webhook_secret(registered.webhook.webhook_id),
        SecretString=content or "?",
    )

    with pytest.raises(SecretUnusable, match="wh_") as raised:
        sender.send(message(registered))

    assert "whsec_" not in raised.value.message
    secret = rotate_secret(site, registered.webhook.webhook_id)
    sender.send(message(registered))
    assert verifies(secret, here.received[-1])


def test_a_secret_that_is_missing_is_named_and_a_rotation_mends_it(
    sender: Sender, site: Site, registered: Registered, here: Receiver
) -> None:
    name = LOCAL_NAMES.webhook_secret(registered.webhook.webhook_id)
    site.client("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)

    with pytest.raises(SecretUnusable, match="KeyError"):
        sender.send(message(registered))

    secret = rotate_secret(site, registered.webhook.webhook_id)
    sender.send(message(registered))
    assert verifies(secret, here.received[-1])


@pytest.mark.parametrize(("code", "named"), [("ThrottlingException", True), ("Denied", False)])
def test_a_throttled_table_is_an_outage_and_a_denial_a_bug(
    code: str, sender: Sender, registered: Registered, *, named: bool
) -> None:
    with Stubber(sender.dynamodb) as stub:
        stub.add_client_error("get_item", code, http_status_code=400)
        with pytest.raises(StoreUnavailable if named else ClientError):
            sender.send(message(registered))


def test_a_table_that_does_not_answer_is_an_outage(
    sender: Sender, registered: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://dynamodb")

    monkeypatch.setattr(sender.dynamodb, "get_item", fail)
    with pytest.raises(StoreUnavailable):
        sender.send(message(registered))
