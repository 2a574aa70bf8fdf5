"""`matteline webhooks`: register addresses that are told how jobs end."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any, Final

import click

from pipeline.cli import tables
from pipeline.cli.site import site_options
from pipeline.operations.dead_letters import DeadLetter, dead_letters, resend
from pipeline.operations.site import Site
from pipeline.operations.webhooks import (
    NoSuchWebhook,
    TooManyWebhooks,
    add_webhook,
    enable_webhook,
    list_webhooks,
    remove_webhook,
    require_webhook,
    rotate_secret,
)
from pipeline.webhooks.errors import DeliveryError, ReceiverUnavailable
from pipeline.webhooks.registered import EVENTS

_LONGEST_H: Final = 24 * 30


class _Group(click.Group):
    """A group whose commands report the errors of webhooks."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DeliveryError as error:
            name = type(error).__name__
            raise click.ClickException(f"{name}: {error.message}\n{error.hint}") from error
        except (NoSuchWebhook, TooManyWebhooks) as error:
            hint = "`matteline webhooks list` lists them."
            raise click.ClickException(f"{error}\n{hint}") from error


@click.group(cls=_Group)
def webhooks() -> None:
    """Tell other systems how jobs end."""


@webhooks.command("add")
@click.argument("url")
@click.option(
    "--event",
    "events",
    type=click.Choice(EVENTS),
    multiple=True,
    help="Message to send; repeatable [default: all].",
)
@click.option("--prefix", default="", help="Send only of jobs whose keys begin with this text.")
@site_options
def add(site: Site, url: str, events: tuple[str, ...], prefix: str) -> None:
    """Register URL, and print the secret that signs its messages.

    Keep the secret: it is not shown again.
    """
    try:
        webhook, secret = add_webhook(site, url, events=events or EVENTS, prefix=prefix)
    except ReceiverUnavailable as error:
        hint = "Check the address, then register it again."
        raise click.ClickException(f"{error.message}\n{hint}") from error
    click.echo(f"webhook  {webhook.webhook_id}\nsecret   {secret}")


@webhooks.command("list")
@site_options
def list_all(site: Site) -> None:
    """List registered webhooks."""
    tables.print_webhooks(list_webhooks(site))


@webhooks.command("rotate")
@click.argument("webhook")
@click.option(
    "--signs-along",
    metavar="HOURS",
    type=click.IntRange(0, _LONGEST_H),
    default=24,
    show_default=True,
    help="Hours for which the old secret signs too; 0 if it leaked.",
)
@site_options
def rotate(site: Site, webhook: str, signs_along: int) -> None:
    """Replace the secret of WEBHOOK, and print the new one."""
    click.echo(rotate_secret(site, webhook, signs_along=timedelta(hours=signs_along)))


@webhooks.command("enable")
@click.argument("webhook")
@site_options
def enable(site: Site, webhook: str) -> None:
    """Enable WEBHOOK again after its receiver answered 410."""
    enable_webhook(site, webhook)


@webhooks.command("remove")
@click.argument("webhook")
@site_options
def remove(site: Site, webhook: str) -> None:
    """Remove WEBHOOK, its secret and its dead letters."""
    remove_webhook(site, webhook)


@webhooks.command("dead")
@click.option("--webhook", help="Only messages to this webhook.")
@site_options
def dead(site: Site, webhook: str | None) -> None:
    """List messages that were given up after a day."""
    tables.print_dead_letters(_dead_letters(site, webhook))


@webhooks.command("resend")
@click.argument("messages", nargs=-1)
@click.option("--webhook", help="Resend all dead letters of this webhook.")
@site_options
def resend_dead(site: Site, messages: tuple[str, ...], webhook: str | None) -> None:
    """Send dead letters again: MESSAGES, or all of a webhook.

    A message stays a dead letter until it is delivered. Exit code 1 if one is no dead letter.
    """
    if bool(messages) == bool(webhook):
        raise click.UsageError("name messages, or pass --webhook")
    found = {each.message_id: each for each in _dead_letters(site, webhook)}
    for name in messages or found:
        started = resend(site, found[name]) if name in found else ""
        click.echo(f"{name}  {started.rpartition(':')[2] or 'is no dead letter'}")
    if set(messages) - found.keys():
        sys.exit(1)


def _dead_letters(site: Site, webhook_id: str | None) -> list[DeadLetter]:
    if webhook_id:
        require_webhook(site, webhook_id)
    return dead_letters(site, webhook_id=webhook_id)
