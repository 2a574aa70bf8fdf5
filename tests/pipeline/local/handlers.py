"""A handler that does what its event says, for tests of the Lambda host."""

from __future__ import annotations

import os
import time
from typing import Any


class DeliberateError(Exception):
    """Raised on purpose."""


def obey(event: dict[str, Any], context: Any) -> dict[str, Any]:
    match event["do"]:
        case "echo":
            return {
                "said": event["say"],
                "pid": os.getpid(),
                "request_id": context.aws_request_id,
                "arn": context.invoked_function_arn,
                "memory": os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
                "own_aws_profile": os.environ.get("AWS_PROFILE"),
            }
        case "raise":
            raise DeliberateError(event["say"])
        case "sleep":
            time.sleep(event["seconds"])
            return {"pid": os.getpid()}
        case "exit":
            os._exit(event["status"])
        case other:
            raise ValueError(other)
