"""X-Ray's SDK is loaded by the first call that is sampled, and by no other."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

from tests.conftest import ROOT

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled="
ONE_CALL = """
import sys
from tests.pipeline.containers.greeter.calls import call
from tests.pipeline.containers.greeter.handler import greet
call(greet)
print("aws_xray_sdk.core" in sys.modules)
"""


def one_call(**environment: str) -> str:
    """The last line a process prints that runs one call inside Lambda."""
    lambda_own = {"LAMBDA_TASK_ROOT": str(ROOT), "AWS_REGION": "us-east-1"}
    done = subprocess.run(
        [sys.executable, "-c", ONE_CALL],
        cwd=ROOT,
        env=os.environ | lambda_own | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("trace", ["", f"{TRACE}0"])
def test_a_call_that_is_not_sampled_does_without_it(trace: str) -> None:
    assert one_call(_X_AMZN_TRACE_ID=trace) == "False"


def test_a_sampled_call_reports_to_the_daemon() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(10)
        port = daemon.getsockname()[1]

        loaded = one_call(_X_AMZN_TRACE_ID=f"{TRACE}1", AWS_XRAY_DAEMON_ADDRESS=f"127.0.0.1:{port}")

        report = daemon.recv(65_536).decode()
    assert loaded == "True"
    assert "1-5759e988-bd862e3fe1be46a994272793" in report
    assert "greeter" in report
    assert json.loads(report.partition("\n")[2])["annotations"]["trace_id"] == "run-7"
