"""Define alarms on the HTTP API's answers, which API Gateway counts."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.alarms import Alarms

_REFUSED_PERCENT: Final = 25
_FEWEST: Final = 100  # requests in 15 minutes: fewer say nothing
_SLOW_MS: Final = 25_000  # a client may ask to wait for 20 s; the function ends after 29


def add_api_alarms(alarms: Alarms, api_id: str) -> None:
    """Add the API's alarms. A bug is an answer with status 500, not an error of its function."""
    alarms.add(
        "api-errors",
        _metric(api_id, "5xx", minutes=5),
        above=0,
        meaning="The API failed to answer a request (status 5xx).",
        section="api-errors",
    )
    alarms.add(
        "api-slowness",
        _metric(api_id, "Latency", statistic="p99", minutes=5),
        above=_SLOW_MS,
        of_periods=(2, 3),
        meaning="The slowest 1% of the API's answers take more than 25 s.",
        section="api-slowness",
    )
    alarms.add(
        "api-refusals",
        cloudwatch.MathExpression(
            expression=f"IF(requests >= {_FEWEST}, 100 * FILL(refused, 0) / requests, 0)",
            using_metrics={
                "requests": _metric(api_id, "Count", minutes=15),
                "refused": _metric(api_id, "4xx", minutes=15),
            },
            label="refused, %",
            period=cdk.Duration.minutes(15),
        ),
        above=_REFUSED_PERCENT,
        meaning=f"The API refuses more than {_REFUSED_PERCENT}% of requests (status 4xx).",
        section="api-refusals",
    )


def _metric(api_id: str, metric: str, *, statistic: str = "Sum", minutes: int) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/ApiGateway",
        metric_name=metric,
        dimensions_map={"ApiId": api_id},
        statistic=statistic,
        period=cdk.Duration.minutes(minutes),
    )
