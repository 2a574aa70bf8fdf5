"""Register webhooks, rotate their secrets, and remove them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from pipeline.operations.dead_letters import forget_dead_letters
from pipeline.operations.scanning import every_row
from pipeline.operations.site import Site
from pipeline.webhooks.addresses import Resolve, public_addresses, read_address
from pipeline.webhooks.registered import EVENTS, MOST, Webhook
from pipeline.webhooks.signing import Secrets, new_secret

SIGNS_ALONG: Final = timedelta(hours=24)
_ID_BYTES: Final = 8


class NoSuchWebhook(LookupError):
    """There is no webhook of this id."""


class TooManyWebhooks(Exception):
    """The deployment has as many webhooks as one state machine reads at a time."""


class Registered(NamedTuple):
    """A new webhook, and its secret, which nothing shows again."""

    webhook: Webhook
    secret: str


def add_webhook(
    site: Site,
    url: str,
    *,
    events: Iterable[str] = EVENTS,
    prefix: str = "",
    resolve: Resolve | None = None,
) -> Registered:
    """Register an address for messages about jobs whose keys begin with `prefix`.

    Raises AddressNotPublic if it is none that may be sent to, ReceiverUnavailable if its host name
    cannot be resolved, TooManyWebhooks if there is room for no more.
    """
    public_addresses(read_address(url, local_receivers=site.local), resolve)
    if len(list_webhooks(site)) >= MOST:
        raise TooManyWebhooks(f"a deployment has {MOST} webhooks at most")
    webhook = Webhook(
        webhook_id=f"wh_{secrets.token_hex(_ID_BYTES)}",
        url=url,
        events=tuple(sorted(events)),
        created_at=_now().isoformat(timespec="seconds"),
        prefix=prefix,
    )
    secret = new_secret()
    # The secret first: a webhook without one could send nothing.
    site.client("secretsmanager").create_secret(
        Name=site.names.webhook_secret(webhook.webhook_id), SecretString=Secrets(secret).written
    )
    _dynamodb(site).put_item(TableName=_table(site), Item=webhook.item)
    return Registered(webhook, secret)


def list_webhooks(site: Site) -> list[Webhook]:
    """Return all webhooks, the oldest first."""
    found = map(Webhook.read, every_row(_dynamodb(site), _table(site)))
    return sorted(found, key=lambda each: (each.created_at, each.webhook_id))


def rotate_secret(site: Site, webhook_id: str, *, signs_along: timedelta = SIGNS_ALONG) -> str:
    """Give a webhook a new secret and return it; the current one signs along for that long.

    A secret that still signs along from an earlier rotation ends at once. A secret that is missing
    or cannot sign is replaced, too. Raises NoSuchWebhook.
    """
    require_webhook(site, webhook_id)
    manager, name = site.client("secretsmanager"), site.names.webhook_secret(webhook_id)
    try:
        known = Secrets.read(manager.get_secret_value(SecretId=name).get("SecretString", ""))
        rotated = known.rotated(_now() + signs_along)
    except manager.exceptions.ResourceNotFoundException:
        fresh = new_secret()
        manager.create_secret(Name=name, SecretString=Secrets(fresh).written)
        return fresh
    except ValueError:
        rotated = Secrets(new_secret())
    manager.put_secret_value(SecretId=name, SecretString=rotated.written)
    return rotated.current


def enable_webhook(site: Site, webhook_id: str) -> None:
    """Send messages to a webhook that was disabled. Raises NoSuchWebhook."""
    require_webhook(site, webhook_id)
    _dynamodb(site).update_item(
        TableName=_table(site),
        Key={"webhook_id": {"S": webhook_id}},
        UpdateExpression="SET #disabled = :no",
        ConditionExpression="attribute_exists(webhook_id)",
        ExpressionAttributeNames={"#disabled": "disabled"},
        ExpressionAttributeValues={":no": {"S": ""}},
    )


def remove_webhook(site: Site, webhook_id: str) -> None:
    """Remove a webhook, its secret and its undelivered messages. Raises NoSuchWebhook."""
    require_webhook(site, webhook_id)
    _dynamodb(site).delete_item(TableName=_table(site), Key={"webhook_id": {"S": webhook_id}})
    site.client("secretsmanager").delete_secret(
        SecretId=site.names.webhook_secret(webhook_id), ForceDeleteWithoutRecovery=True
    )
    forget_dead_letters(site, webhook_id)


def require_webhook(site: Site, webhook_id: str) -> None:
    """Raise NoSuchWebhook if no webhook has this id."""
    found = _dynamodb(site).get_item(
        TableName=_table(site), Key={"webhook_id": {"S": webhook_id}}, ConsistentRead=True
    )
    if "Item" not in found:
        raise NoSuchWebhook(f"there is no webhook {webhook_id}")


def _table(site: Site) -> str:
    return site.names.table("webhooks")


def _dynamodb(site: Site) -> Any:  # noqa: ANN401 - clients are made at run time
    return site.client("dynamodb")


def _now() -> datetime:
    return datetime.now(UTC)
