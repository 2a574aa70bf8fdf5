"""Look up a webhook and its secrets, sign a message, and send it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.aws.outages import is_outage
from pipeline.aws.secrets import Secrets as SecretsStore
from pipeline.aws.secrets import SecretsManager, Unreadable
from pipeline.errors import NamedError, StoreUnavailable
from pipeline.functions.lines import write_line
from pipeline.functions.webhook_sender.contract import SendWebhook, WebhookSent
from pipeline.functions.webhook_sender.request import post
from pipeline.webhooks.addresses import public_addresses, read_address
from pipeline.webhooks.errors import (
    ReceiverGone,
    ReceiverUnavailable,
    SecretUnusable,
    WebhookDisabled,
    WebhookRemoved,
)
from pipeline.webhooks.registered import Webhook
from pipeline.webhooks.signing import Secrets, sign

_NAME: Final = "webhook-sender"
_GONE: Final = 410
_SUCCESS: Final = range(200, 300)


@dataclass(frozen=True)
class Sender:
    """What a message needs: the table of webhooks, their secrets, and who may receive.

    With `local_receivers`, which only the local cloud sets, a receiver may be on this computer.
    """

    dynamodb: Any
    secrets: SecretsStore
    table: str
    secret_prefix: str
    local_receivers: bool = False

    @classmethod
    def connect(cls, environment: Mapping[str, str]) -> Sender:
        config = Config(connect_timeout=5, read_timeout=5)
        return cls(
            boto3.client("dynamodb", config=config),
            SecretsManager(),
            environment["WEBHOOKS_TABLE"],
            environment["WEBHOOK_SECRET_PREFIX"],
            local_receivers="MATTELINE_LOCAL_RECEIVERS" in environment,
        )

    def send(self, job: SendWebhook) -> WebhookSent:
        """Send a message once, and write a line about it to the log.

        Raises a DeliveryError unless the receiver accepts it.
        """
        about = {"trace_id": job.trace_id, "message_id": job.message_id}
        try:
            sent = self._send(job)
        except NamedError as error:
            write_line(_NAME, error.message, error=type(error).__name__, **about)
            raise
        write_line(_NAME, "done", status=sent.status, **about)
        return sent

    def _send(self, job: SendWebhook) -> WebhookSent:
        webhook = self._webhook(job.webhook_id)
        address = read_address(webhook.url, local_receivers=self.local_receivers)
        body = job.body.encode()
        headers = sign(job.message_id, body, self._secrets(job.webhook_id), time.time())
        answer = post(address, public_addresses(address), body, headers)
        if answer.status == _GONE:
            self._disable(webhook)
            raise ReceiverGone(f"{webhook.url} answered 410")
        if answer.status not in _SUCCESS:
            raise ReceiverUnavailable(f"{webhook.url} answered {answer.status}: {answer.excerpt}")
        return WebhookSent(answer.status)

    def _webhook(self, webhook_id: str) -> Webhook:
        with _named_outages():
            found = self.dynamodb.get_item(
                TableName=self.table, Key={"webhook_id": {"S": webhook_id}}, ConsistentRead=True
            )
        if "Item" not in found:
            raise WebhookRemoved(f"there is no webhook {webhook_id}")
        webhook = Webhook.read(found["Item"])
        if webhook.disabled:
            raise WebhookDisabled(f"{webhook_id} is disabled: {webhook.disabled}")
        return webhook

    def _secrets(self, webhook_id: str) -> Secrets:
        try:
            return Secrets.read(self.secrets.read(f"{self.secret_prefix}{webhook_id}"))
        except (KeyError, Unreadable, ValueError) as error:
            raise SecretUnusable(f"{webhook_id}: {type(error).__name__}: {error}") from error

    def _disable(self, webhook: Webhook) -> None:
        """Disable the webhook, unless it was removed or has another address by now."""
        why = f"the receiver answered 410 at {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        with (
            _named_outages(),
            contextlib.suppress(self.dynamodb.exceptions.ConditionalCheckFailedException),
        ):
            self.dynamodb.update_item(
                TableName=self.table,
                Key={"webhook_id": {"S": webhook.webhook_id}},
                UpdateExpression="SET #disabled = :why",
                ConditionExpression="#url = :url",
                ExpressionAttributeNames={"#disabled": "disabled", "#url": "url"},
                ExpressionAttributeValues={":why": {"S": why}, ":url": {"S": webhook.url}},
            )


@contextlib.contextmanager
def _named_outages() -> Iterator[None]:
    """Raise StoreUnavailable where DynamoDB is too busy or does not answer."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        if is_outage(error):
            raise StoreUnavailable(f"DynamoDB: {error}") from error
        raise
