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

    def create(self, state: dict[str, Any]) -> str:
        """Create a machine of this state; return its ARN."""
        definition = {"StartAt": "S", "States": {"S": state | {"End": True}}}
        machine = self._states.create_state_machine(
            name=uuid.uuid4().hex,
            roleArn="arn:aws:iam::123456789012:role/r",
            definition=json.dumps(definition),
        )
        return str(machine["stateMachineArn"])

    def begin(self, state: dict[str, Any], **options: str) -> str:
        """Create a machine of this state and start it; return the execution's ARN."""
        started = self._states.start_execution(stateMachineArn=self.create(state), **options)
        return str(started["executionArn"])

    def run(self, state: dict[str, Any], **options: str) -> dict[str, Any]:
        """Create a machine of this state, run it, and describe the ended execution."""
        arn = self.begin(state, **options)
        while (found := self._states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            time.sleep(0.02)
        return dict(found)
