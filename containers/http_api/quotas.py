"""Quotas: what a request spends, what `GET /quotas` answers, and the headers that say what is left.

The headers are those of draft-ietf-httpapi-ratelimit-headers-11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from pydantic import BaseModel, ConfigDict

from containers.http_api.principal import OPERATOR_SCOPE
from containers.http_api.problems import QuotaExceeded, QuotaState
from pipeline.operations.quotas import OverQuota, QuotasTable, Standing

if TYPE_CHECKING:
    from containers.http_api.current import Current

_UNITS: Final = {"upload_bytes": "content-bytes"}  # all others count requests, the default


class Quotas(BaseModel):
    """Who asks, and how much is left.

    The caller's objects have keys that begin with `principal` and a slash. `scopes` are those of
    the caller that mean something here.
    """

    model_config = ConfigDict(frozen=True)

    principal: str
    scopes: tuple[str, ...]
    quotas: tuple[QuotaState, ...]


def add_quotas(api: APIGatewayHttpResolver, current: Current) -> None:
    @api.get(
        "/quotas",
        operation_id="getQuotas",
        summary="Say who the caller is, and how much of each quota is left.",
        tags=["Quotas"],
        response_description="The caller's quotas",
    )
    def get_quotas() -> Quotas:
        principal = current.principal
        standings = QuotasTable(current.site).standings(principal.prefix, datetime.now(UTC))
        return Quotas(
            principal=principal.prefix.rstrip("/"),
            scopes=(OPERATOR_SCOPE,) if principal.operator else (),
            quotas=tuple(map(_state, standings)),
        )


def spend(current: Current, asked: Mapping[str, int]) -> None:
    """Count what a request asks for, and put what is left into the headers of its answer."""
    now = datetime.now(UTC)
    try:
        standings = QuotasTable(current.site).spend(current.principal.prefix, asked, now)
    except OverQuota as error:
        current.headers.update(rate_limit_headers(error.exceeded, now))
        if all(asked[each.quota.name] <= (each.limit or 0) for each in error.exceeded):
            current.headers["Retry-After"] = str(_seconds_left(error.exceeded[0], now))
        said = "; ".join(_refusal(each, asked[each.quota.name]) for each in error.exceeded)
        raise QuotaExceeded(said, tuple(map(_state, error.exceeded))) from error
    current.headers.update(rate_limit_headers(standings, now))


def rate_limit_headers(standings: Sequence[Standing], now: datetime) -> dict[str, str]:
    """Return the headers for the quotas that have a limit; none if no quota has one."""
    limited = [each for each in standings if each.limit is not None]
    if not limited:
        return {}
    return {
        "RateLimit-Policy": ", ".join(map(_policy, limited)),
        "RateLimit": ", ".join(
            f'"{each.quota.name}";r={each.left};t={_seconds_left(each, now)}' for each in limited
        ),
    }


def _policy(standing: Standing) -> str:
    quota = standing.quota
    unit = f';qu="{_UNITS[quota.name]}"' if quota.name in _UNITS else ""
    return f'"{quota.name}";q={standing.limit}{unit};w={quota.window.seconds}'


def _seconds_left(standing: Standing, now: datetime) -> int:
    return ceil((standing.resets_at - now).total_seconds())


def _refusal(standing: Standing, asked: int) -> str:
    name, window = standing.quota.name, standing.quota.window.name.lower()
    left = f"{standing.left:,} of {standing.limit:,} a {window} are left"
    return f"{name}: {asked:,} asked for, {left} until {standing.resets_at:%Y-%m-%d %H:%M} UTC"


def _state(standing: Standing) -> QuotaState:
    return QuotaState(
        name=standing.quota.name,
        limit=standing.limit,
        left=standing.left,
        window_s=standing.quota.window.seconds,
        resets_at=standing.resets_at,
    )
