"""Define --stage, --endpoint-url and --product, and report a site that does not respond."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

from pipeline.cli.options import ROOT
from pipeline.declared.names import LOCAL_NAMES, LOCAL_STAGE
from pipeline.declared.products import Product, load_products
from pipeline.declared.resources import load_resources
from pipeline.operations.site import Site, aws_site, local_site
from pipeline.spelling import did_you_mean

LOCAL_ENDPOINT: Final = "http://127.0.0.1:8420"
_MISSING: Final = {"ResourceNotFoundException", "NoSuchBucket", "StateMachineDoesNotExist"}
_UNSET: Final = (NoCredentialsError, NoRegionError, PartialCredentialsError, ProfileNotFound)
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Moment(click.ParamType[datetime]):
    """A time: 30m, 2h or 7d ago, or a date."""

    name = "AGO|DATE"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        if isinstance(value, datetime):
            return value
        if ago := re.fullmatch(r"(\d{1,5})([mhdw])", str(value)):
            return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is neither like 30m, 2h or 7d nor a date", param, ctx)
        return moment if moment.tzinfo else moment.astimezone()


class Period(click.ParamType[timedelta]):
    """A length of time: 30m, 12h, 90d or 4w."""

    name = "PERIOD"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        if isinstance(value, timedelta):
            return value
        period = re.fullmatch(r"([1-9]\d{0,4})([mhdw])", str(value))
        if not period:
            self.fail(f"{value!r} is not like 30m, 12h, 90d or 4w", param, ctx)
        return timedelta(**{_UNITS[period[2]]: int(period[1])})


class ProductName(click.ParamType[Product]):
    """A product of this repository, by its name."""

    name = "NAME"

    def convert(self, value: Any, param: Any, ctx: Any) -> Product:
        products = {product.name: product for product in load_products(ROOT)}
        if str(value) not in products:
            hint = did_you_mean(str(value), products) or f"; there is {', '.join(products)}"
            self.fail(f"unknown product {value!r}{hint}", param, ctx)
        return products[str(value)]


class RowsOf(click.ParamType[str]):
    """A product, or a state machine that has rows in the jobs table as products have."""

    name = "NAME"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        products = [product.name for product in load_products(ROOT)]
        known = [*products, *load_resources(ROOT).claiming]
        if str(value) not in known:
            hint = did_you_mean(str(value), known) or f"; there is {', '.join(known)}"
            self.fail(f"unknown product {value!r}{hint}", param, ctx)
        return str(value)


stage_option = click.option(
    "--stage",
    envvar="MATTELINE_STAGE",
    default=LOCAL_STAGE,
    show_default=True,
    help="Stage on AWS, reached with your own AWS settings; `local` is the local cloud.",
)
endpoint_option = click.option(
    "--endpoint-url",
    envvar="MATTELINE_ENDPOINT_URL",
    default=LOCAL_ENDPOINT,
    show_default=True,
    help="Address of the local cloud; AWS_ENDPOINT_URL works too.",
)


def site_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add --stage and --endpoint-url, and give the command the Site they name."""

    @stage_option
    @endpoint_option
    @functools.wraps(command)
    def with_site(stage: str, endpoint_url: str, **rest: Any) -> None:
        with named_failures(stage):
            command(site=site_of(stage, endpoint_url), **rest)

    return with_site


def site_of(stage: str, endpoint_url: str) -> Site:
    """Return the site that --stage and --endpoint-url name."""
    products = load_products(ROOT)
    if stage == LOCAL_STAGE:
        return local_site(LOCAL_NAMES, endpoint_url, products)
    return aws_site(stage, products)


@contextmanager
def named_failures(stage: str) -> Iterator[None]:
    """Raise ClickException, with the reason, if the stage does not respond or returns an error."""
    try:
        yield
    except EndpointConnectionError as error:
        raise click.ClickException(f"{error}\n{_unreachable(stage)}") from error
    except _UNSET as error:
        hint = "Set AWS_PROFILE and AWS_REGION, or run `aws configure`."
        raise click.ClickException(f"AWS cannot be asked: {error}\n{hint}") from error
    except (BotoCoreError, ClientError) as error:
        reason = f"{_answerer(stage)} returned an error: {error}"
        raise click.ClickException(f"{reason}{_hint(error, stage)}") from error


def _unreachable(stage: str) -> str:
    if stage != LOCAL_STAGE:
        return "Check the network, its proxies, and the region in AWS_REGION."
    return (
        "Is `matteline up` running there? If it printed another address, pass --endpoint-url. "
        "For a stage on AWS, pass --stage NAME."
    )


def _hint(error: BotoCoreError | ClientError, stage: str) -> str:
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if stage == LOCAL_STAGE or code not in _MISSING:
        return ""
    return f"\nIs {stage} deployed in this account and region? See docs/deploying.md."


def _answerer(stage: str) -> str:
    return "The local cloud" if stage == LOCAL_STAGE else "AWS"
