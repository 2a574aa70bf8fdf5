"""An outage of AWS passes; everything else that goes wrong is a bug."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from pipeline.aws.outages import Unanswered, is_outage


def answered(status: int, code: str) -> ClientError:
    about = {"HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0, "RequestId": ""}
    told = {"Error": {"Code": code, "Message": "."}, "ResponseMetadata": about}
    return ClientError(told, "GetItem")  # type: ignore[arg-type] # HostId is S3's


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (EndpointConnectionError(endpoint_url="https://dynamodb"), True),
        (ReadTimeoutError(endpoint_url="https://dynamodb"), True),
        (Unanswered("a row is missing"), True),
        (answered(500, "InternalServerError"), True),
        (answered(503, "SlowDown"), True),
        (answered(400, "ProvisionedThroughputExceededException"), True),
        (answered(400, "ThrottlingException"), True),
        (answered(429, "TooManyRequests"), True),
        (answered(400, "AccessDeniedException"), False),
        (answered(400, "ResourceNotFoundException"), False),
        (NoCredentialsError(), False),
        (ConnectionError("not of AWS"), False),
    ],
)
def test_what_passes_is_told_from_a_bug(error: Exception, passes: bool) -> None:  # noqa: FBT001
    assert is_outage(error) is passes


def test_an_outage_counts_where_another_error_was_raised_from_it() -> None:
    error = ValueError("no row")
    error.__cause__ = answered(500, "InternalServerError")

    assert is_outage(error)


def test_an_outage_that_was_just_being_handled_is_not_the_cause() -> None:
    error = ValueError("a bug in a handler of an outage")
    error.__context__ = answered(500, "InternalServerError")

    assert not is_outage(error)
