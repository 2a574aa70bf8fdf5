"""`matteline quotas`: list, set and clear the limits of the HTTP API's users."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

import click

from pipeline.cli import tables
from pipeline.cli.site import site_options
from pipeline.operations.keys import KeysTable
from pipeline.operations.quotas import EVERYBODY, QuotasTable
from pipeline.operations.site import Site

_PRINCIPAL: Final = re.compile(r"([0-9a-f]{32})/?")
_UNITS: Final = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_TOO_MUCH: Final = 10**15  # numbers in headers have at most 15 digits
NO_LIMIT: Final = "none"


class PrincipalName(click.ParamType[str]):
    """A principal, by the prefix of its objects; `default` is everybody without limits set."""

    name = "PRINCIPAL"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if value == EVERYBODY:
            return EVERYBODY
        found = _PRINCIPAL.fullmatch(str(value))
        if not found:
            hint = f"`matteline keys list` shows prefixes; `{EVERYBODY}` is everybody else"
            self.fail(f"{value!r} is not a prefix of 32 hexadecimal digits; {hint}", param, ctx)
        return f"{found[1]}/"


class Limit(click.ParamType[int | str]):
    """A whole number, with K, M, G or T for powers of 1,024, or `none`."""

    name = "N|none"

    def convert(self, value: Any, param: Any, ctx: Any) -> int | str:
        if value == NO_LIMIT:
            return NO_LIMIT
        found = re.fullmatch(r"(\d{1,15})([KMGT]?)", str(value))
        limit = int(found[1]) * _UNITS[found[2]] if found else _TOO_MUCH
        if limit >= _TOO_MUCH:
            self.fail(f"{value!r} is not a number like 500 or 20G, nor `{NO_LIMIT}`", param, ctx)
        return limit


@click.group()
def quotas() -> None:
    """List, set and clear what users of the HTTP API may ask for."""


@quotas.command("list")
@site_options
def list_quotas(site: Site) -> None:
    """List limits, and what users of the API have spent."""
    tables.print_quotas(QuotasTable(site).usages(datetime.now(UTC)), KeysTable(site).rows())


@quotas.command("set")
@click.argument("principal", type=PrincipalName())
@click.option("--jobs", type=Limit(), help="Jobs a day; `none` is no limit.")
@click.option("--upload-bytes", type=Limit(), help="Bytes of uploads a day, such as 20G.")
@click.option("--masks", type=Limit(), help="Requests for masks a minute.")
@click.option("--searches", type=Limit(), help="Searches of collections a minute.")
@site_options
def set_quotas(site: Site, principal: str, **given: int | str | None) -> None:
    """Set limits of a principal, or of all others.

    PRINCIPAL is the prefix of the principal's objects, which `GET /quotas` and `matteline keys
    list` show, or `default`. Limits that are not given stay. They hold from the next request on.
    """
    limits = {name: _limit(limit) for name, limit in given.items() if limit is not None}
    if not limits:
        raise click.UsageError("give at least one limit")
    QuotasTable(site).set_limits(principal, limits)


@quotas.command("clear")
@click.argument("principal", type=PrincipalName())
@site_options
def clear_quotas(site: Site, principal: str) -> None:
    """Delete the limits set for a principal, or for `default`.

    A principal then has the default limits; `default` has those that are built in. What was
    counted stays.
    """
    if not QuotasTable(site).clear_limits(principal):
        raise click.ClickException(f"no limits are set for {principal}")


def _limit(given: int | str) -> int | None:
    return given if isinstance(given, int) else None
