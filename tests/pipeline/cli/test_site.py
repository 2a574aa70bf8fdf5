"""What a stage does not answer is reported with what to do."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)
from click import ClickException

from pipeline.cli.site import named_failures

OFFLINE = EndpointConnectionError(endpoint_url="http://a")
MISSING = ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "none"}}, "Scan")
DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Scan")


@pytest.mark.parametrize(
    ("error", "stage", "said"),
    [
        (
            NoCredentialsError(),
            "dev",
            "Unable to locate credentials\nSet AWS_PROFILE and AWS_REGION",
        ),
        (NoRegionError(), "dev", "AWS cannot be asked: You must specify a region.\nSet"),
        (ProfileNotFound(profile="me"), "dev", "(me) could not be found\nSet AWS_PROFILE"),
        (OFFLINE, "dev", 'http://a"\nCheck the network, its proxies, and the region'),
        (OFFLINE, "local", 'http://a"\nIs `matteline up` running there?'),
        (MISSING, "dev", "none\nIs dev deployed in this account and region? See"),
    ],
)
def test_the_next_step_follows_the_reason(error: Exception, stage: str, said: str) -> None:
    with pytest.raises(ClickException) as told, named_failures(stage):
        raise error

    assert said in told.value.message


@pytest.mark.parametrize(("error", "stage"), [(MISSING, "local"), (DENIED, "dev")])
def test_no_stage_is_said_to_be_missing_that_may_be_there(error: Exception, stage: str) -> None:
    with pytest.raises(ClickException) as told, named_failures(stage):
        raise error

    assert "deployed" not in told.value.message
