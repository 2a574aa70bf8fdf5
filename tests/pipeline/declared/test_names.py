"""A function's ARN names its deployment."""

from __future__ import annotations

import pytest

from pipeline.declared.names import LOCAL_NAMES, names_of_function, stage_names


@pytest.mark.parametrize("qualifier", ["", ":live", ":7"])
def test_a_functions_arn_names_its_deployment(qualifier: str) -> None:
    arn = f"arn:aws-cn:lambda:cn-north-1:123456789012:function:matteline-a-b-http-api{qualifier}"

    assert names_of_function(arn, "http-api") == stage_names(
        "a-b", account="123456789012", region="cn-north-1", partition="aws-cn"
    )


def test_the_local_cloud_has_its_own_names() -> None:
    arn = LOCAL_NAMES.function_arn("http-api")

    assert names_of_function(arn, "http-api") is LOCAL_NAMES


@pytest.mark.parametrize(
    "arn",
    [
        "test_function",
        "arn:aws:lambda:eu-west-1:123456789012:function:test_function",
        "arn:aws:lambda:eu-west-1:123456789012:function:matteline-http-api",
        "arn:aws:lambda:eu-west-1:123456789012:function:matteline-dev-edge-refiner",
        "arn:aws:lambda:eu-west-1:123456789012:function:other-dev-http-api",
        "arn:aws:states:eu-west-1:123456789012:function:matteline-dev-http-api",
    ],
)
def test_any_other_arn_is_an_error(arn: str) -> None:
    with pytest.raises(ValueError, match="is no function of http-api"):
        names_of_function(arn, "http-api")


@pytest.mark.parametrize(
    ("stack", "own"),
    [
        ("matteline-dev-storage", True),
        ("matteline-dev-batch", True),
        ("matteline-dev-functions-gone", True),
        ("matteline-dev-2-storage", False),
        ("matteline-dev-2-functions-transcriber", False),
        ("matteline-registry", False),
        ("storage", False),
    ],
)
def test_a_stage_knows_its_stacks_from_those_of_a_stage_with_a_longer_name(
    stack: str, *, own: bool
) -> None:
    dev = stage_names("dev", account="123456789012", region="eu-west-1")

    assert dev.owns_stack(stack) is own
