"""Tell an outage of AWS from a bug: after an outage, the same request may succeed."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.exceptions import ConnectionError as NoConnection

_SILENT: Final = (HTTPClientError, NoConnection, ConnectionClosedError, IncompleteReadError)
# Services also throttle with status 400. https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_THROTTLED: Final = {
    "BandwidthLimitExceeded", "ExecutionLimitExceeded", "ProvisionedThroughputExceededException",
    "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "RequestTimeout",
    "RequestTimeoutException", "SlowDown", "ThrottledException", "Throttling",
    "ThrottlingException", "TooManyRequestsException",
}  # fmt: skip


def is_outage(error: Exception) -> bool:
    """Return True if AWS throttled a call, failed, or did not answer, and that caused the error."""
    return any(
        _failed(each.response) if isinstance(each, ClientError) else isinstance(each, _SILENT)
        for each in _causes(error)
    )


def _failed(response: object) -> bool:
    match response:
        case {"Error": {"Code": code}} if code in _THROTTLED:
            return True
        case {"ResponseMetadata": {"HTTPStatusCode": int(status)}}:
            return (
                status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS
            )
        case _:
            return False


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what it was raised from; not what was just being handled then."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__
