"""What Lambda hands to a handler."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from aws_lambda_powertools.utilities.typing import LambdaContext

from pipeline.task import task
from tests.pipeline.containers.greeter.handler import Greet, Greeted

EVENT = {"schema": 1, "name": "Ada", "execution": "run-7", "job_id": "0123"}
_READ_BY_THE_LOGGER = SimpleNamespace(
    function_name="greeter",
    function_version="7",
    memory_limit_in_mb=128,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:greeter",
    aws_request_id="5ca1ab1e",
    get_remaining_time_in_millis=lambda: 1_000,
)
LAMBDA = cast("LambdaContext", _READ_BY_THE_LOGGER)


def call(run: Callable[..., Greeted], event: dict[str, Any] | None = None) -> dict[str, Any]:
    return task(Greet)(run)(event or EVENT, LAMBDA)
