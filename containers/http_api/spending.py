"""Count what a request spends of its caller's quotas, and say in headers what is left.

The headers are those of draft-ietf-httpapi-ratelimit-headers-11.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from math import ceil
from typing import Final

from containers.http_api.errors import QuotaExceeded, QuotaState
from pipeline.operations.quotas import OverQuota, QuotasTable, Standing

_UNITS: Final = {"upload_bytes": "content-bytes"}  # all others count requests, the default


def spend(
    table: QuotasTable, prefix: str, asked: Mapping[str, int], headers: MutableMapping[str, str]
) -> None:
    """Count what a request asks for, and put what is left into the headers of its answer.

    Raises QuotaExceeded.
    """
    now = datetime.now(UTC)
    try:
        standings = table.spend(prefix, asked, now)
    except OverQuota as error:
        headers.update(rate_limit_headers(error.exceeded, now))
        if all(asked[each.quota.name] <= (each.limit or 0) for each in error.exceeded):
            headers["Retry-After"] = str(_seconds_left(error.exceeded[0], now))
        said = "; ".join(_refusal(each, asked[each.quota.name]) for each in error.exceeded)
        raise QuotaExceeded(said, tuple(map(quota_state, error.exceeded))) from error
    headers.update(rate_limit_headers(standings, now))


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


def quota_state(standing: Standing) -> QuotaState:
    """Return how a principal stands in one quota, as answers say it."""
    return QuotaState(
        name=standing.quota.name,
        limit=standing.limit,
        left=standing.left,
        window_s=standing.quota.window.seconds,
        resets_at=standing.resets_at,
    )
