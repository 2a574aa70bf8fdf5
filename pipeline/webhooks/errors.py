"""Name every reason why a message did not reach its receiver, with a hint for the operator.

    DeliveryError
    ├── Undelivered        tried again for about a day, then a dead letter
    │   └── ReceiverUnavailable  AddressNotPublic  SecretUnusable
    └── Undeliverable      not tried again
        └── ReceiverGone  WebhookDisabled (dead letters)  WebhookRemoved (forgotten)

The `deliver-webhook` state machine matches the class name of a leaf.
"""

from __future__ import annotations

from pipeline.errors import NamedError


class DeliveryError(NamedError):
    """A message was not delivered."""


class Undelivered(DeliveryError):
    """The message may be delivered by a later attempt."""


class ReceiverUnavailable(Undelivered):
    """The receiver did not answer in time, or answered with a status other than 2xx or 410."""

    hint = "Once the receiver works, run `matteline webhooks resend`."


class AddressNotPublic(Undelivered):
    """The address is not one of a public receiver, or its host name has a private IP address."""

    hint = "Register an https address whose host name has public IP addresses only."


class SecretUnusable(Undelivered):
    """The webhook's secret is missing or cannot be read, so its messages cannot be signed."""

    hint = "Run `matteline webhooks rotate`, give the receiver the new secret, then resend."


class Undeliverable(DeliveryError):
    """No attempt will deliver the message."""


class ReceiverGone(Undeliverable):
    """The receiver answered 410, so its webhook is disabled."""

    hint = "If it is back, run `matteline webhooks enable` and then `matteline webhooks resend`."


class WebhookDisabled(Undeliverable):
    """The webhook was disabled before this message was delivered."""

    hint = "Run `matteline webhooks enable` and then `matteline webhooks resend`."


class WebhookRemoved(Undeliverable):
    """The webhook was removed before this message was delivered."""

    hint = "Nothing to do: messages of a removed webhook are not kept."
