"""Run a handler where awslambdaric has no wheel: macOS and Windows.

Run as `python -m pipeline.local.runtime_client package.module.function`.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
import urllib.request
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from pipeline.local.runtime_api import API_VERSION


def main(handler_name: str) -> None:
    base = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/{API_VERSION}/runtime"
    try:
        module, _, function = handler_name.rpartition(".")
        handler = getattr(importlib.import_module(module), function)
    except Exception as error:
        _post(f"{base}/init/error", _description(error, ""))
        raise
    while True:
        _serve_one(base, handler)


def _serve_one(base: str, handler: Callable[[Any, Any], Any]) -> None:
    with urllib.request.urlopen(f"{base}/invocation/next") as answer:  # noqa: S310
        request_id = answer.headers["Lambda-Runtime-Aws-Request-Id"]
        arn = answer.headers["Lambda-Runtime-Invoked-Function-Arn"]
        deadline_ms = int(answer.headers["Lambda-Runtime-Deadline-Ms"])
        event = json.load(answer)
    context = SimpleNamespace(
        aws_request_id=request_id,
        invoked_function_arn=arn,
        function_name=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        function_version=os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        get_remaining_time_in_millis=lambda: max(0, deadline_ms - int(time.time() * 1000)),
    )
    try:
        kind, body = "response", handler(event, context)
    except Exception as error:  # noqa: BLE001 - the caller gets every error's name
        kind, body = "error", _description(error, request_id)
    _post(f"{base}/invocation/{request_id}/{kind}", body)


def _description(error: Exception, request_id: str) -> dict[str, Any]:
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": request_id,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def _post(url: str, body: object) -> None:
    request = urllib.request.Request(url, json.dumps(body).encode(), method="POST")  # noqa: S310
    urllib.request.urlopen(request).close()  # noqa: S310


if __name__ == "__main__":
    main(sys.argv[1])
