"""A new process answers soon: it loads nothing that a request does not need."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

ONE_REQUEST = """
import sys
from types import SimpleNamespace
from containers.http_api.handler import handler
context = SimpleNamespace(
    function_name="api", memory_limit_in_mb=1, invoked_function_arn="a", aws_request_id="b"
)
about = {"requestId": "1", "stage": "$default", "http": {"method": "GET", "path": "/models"}}
request = {"version": "2.0", "rawPath": "/models", "headers": {}, "requestContext": about}
print(handler(request, context)["statusCode"])
large = {"boto3", "numpy", "PIL", "onnxruntime", "aws_xray_sdk"}
print(sorted(large & {name.split(".")[0] for name in sys.modules}))
"""


def test_a_request_for_what_is_declared_loads_no_large_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ONE_REQUEST], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-2:] == ["200", "[]"]
