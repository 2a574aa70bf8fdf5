"""Which deployment a command works on, and what a person is told when it does not answer."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from pipeline.declared.names import LOCAL_NAMES, LOCAL_STAGE
from pipeline.operations.site import aws_site, local_site

LOCAL_ENDPOINT: Final = "http://127.0.0.1:8420"
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Moment(click.ParamType[datetime]):
    """A time as people say it: 30m, 2h or 7d ago, or a date."""

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


def site_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add --stage and --endpoint-url, and give the command the Site they mean."""

    @click.option(
        "--stage",
        envvar="MATTELINE_STAGE",
        default=LOCAL_STAGE,
        show_default=True,
        help="A stage deployed on AWS, reached by your own AWS settings; else the local cloud.",
    )
    @click.option(
        "--endpoint-url",
        envvar="MATTELINE_ENDPOINT_URL",
        default=LOCAL_ENDPOINT,
        show_default=True,
        help="Where `matteline up` answers; AWS_ENDPOINT_URL is read too.",
    )
    @functools.wraps(command)
    def with_site(stage: str, endpoint_url: str, **rest: Any) -> None:
        try:
            local = stage == LOCAL_STAGE
            site = local_site(LOCAL_NAMES, endpoint_url) if local else aws_site(stage)
            command(site=site, **rest)
        except EndpointConnectionError as error:
            hint = "Is `matteline up` running there? --stage NAME means a stage on AWS."
            raise click.ClickException(f"{error}\n{hint}") from error
        except (BotoCoreError, ClientError) as error:
            raise click.ClickException(f"{_who(stage)} said: {error}") from error

    return with_site


def _who(stage: str) -> str:
    return "The local cloud" if stage == LOCAL_STAGE else "AWS"
