"""`matteline keys`: create, list and revoke keys of the HTTP API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from pipeline.cli import tables
from pipeline.cli.site import Period, site_options
from pipeline.operations.keys import KeysTable
from pipeline.operations.site import Site


@click.group()
def keys() -> None:
    """Create, list and revoke keys of the HTTP API."""


@keys.command("create")
@click.argument("name")
@click.option(
    "--principal", help="Owner of what is uploaded with the key [default: one of its own]."
)
@click.option("--operator", is_flag=True, help="Let the key see and rerun everybody's jobs.")
@click.option(
    "--expires", type=Period(), help="How long the key works, such as 90d [default: ever]."
)
@site_options
def create(
    site: Site, name: str, *, principal: str | None, operator: bool, expires: timedelta | None
) -> None:
    """Create a key and print it, once.

    NAME is for you: who has the key, or what for. To replace a key, create one with the
    --principal of the old one, then revoke that.
    """
    for given in (name, principal):
        if given is not None and (not given.strip() or not given.isprintable()):
            raise click.UsageError("a name or principal is empty or has control characters")
    expires_at = datetime.now(UTC) + expires if expires else None
    key, row = KeysTable(site).create(
        name, principal=principal, operator=operator, expires_at=expires_at
    )
    click.echo(key)
    click.echo(
        f"Its id is {row.id}, its principal {row.principal}. It cannot be shown again.", err=True
    )


@keys.command("list")
@site_options
def list_keys(site: Site) -> None:
    """List keys, with the prefix of what each one owns."""
    tables.print_keys(KeysTable(site).rows(), datetime.now(UTC))


@keys.command("revoke")
@click.argument("ids", nargs=-1, required=True)
@site_options
def revoke(site: Site, ids: tuple[str, ...]) -> None:
    """Revoke keys for ever.

    IDS are what `matteline keys list` shows. What was uploaded with the keys stays. Exit code 1 if
    there is no such key.
    """
    table = KeysTable(site)
    unknown = [key_id for key_id in ids if table.revoke(key_id) is None]
    if unknown:
        hint = "`matteline keys list` shows the ids of keys."
        raise click.ClickException(f"there is no key {', '.join(unknown)}\n{hint}")
