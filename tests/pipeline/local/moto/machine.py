"""State machines of one state, on a moto server of this process."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import boto3

PASS = {"Type": "Pass"}


class Machine:
    def __init__(self, port: int) -> None:
        self._port = port
        self._states = self.client("stepfunctions")

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self._port}",
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",  # noqa: S106 - moto accepts any
        )

    def run(self, state: dict[str, Any], **options: str) -> dict[str, Any]:
        """Create a machine of this state, run it, and describe the ended execution."""
        definition = {"StartAt": "S", "States": {"S": state | {"End": True}}}
        machine = self._states.create_state_machine(
            name=uuid.uuid4().hex,
            roleArn="arn:aws:iam::123456789012:role/r",
            definition=json.dumps(definition),
        )
        arn = self._states.start_execution(stateMachineArn=machine["stateMachineArn"], **options)[
            "executionArn"
        ]
        while (found := self._states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            time.sleep(0.02)
        return dict(found)
