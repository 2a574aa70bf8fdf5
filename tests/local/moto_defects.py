"""Prints, as JSON, which defects of moto can be seen in this process. Run by test_moto_seams.

`python -m tests.local.moto_defects` looks at moto as it ships, `… mended` at moto with our patches.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

import boto3
from botocore.exceptions import ClientError
from moto import backends
from moto.core.config import default_user_config
from moto.s3.models import S3Backend
from moto.server import ThreadedMotoServer
from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for
from moto.stepfunctions.parser.backend import execution_worker

from pipeline.local import moto_compat

PASS = {"Type": "Pass"}
PUT_JSON = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:s3:putObject",
    "Parameters": {"Bucket": "photos", "Key": "k", "Body": {"a": 1}},
}
GET_NOTHING = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
    "Parameters": {"Bucket": "photos", "Key": "nothing"},
}


class Machine:
    """State machines of one state, on a moto server of this process."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._states = self.client("stepfunctions")

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self._port}",
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",  # noqa: S106 - moto takes any
        )

    def run(self, state: dict[str, Any], **options: str) -> dict[str, Any]:
        definition = {"StartAt": "S", "States": {"S": state | {"End": True}}}
        machine = self._states.create_state_machine(
            name=uuid.uuid4().hex,
            roleArn="arn:aws:iam::123456789012:role/r",
            definition=json.dumps(definition),
        )
        arn = self._states.start_execution(stateMachineArn=machine["stateMachineArn"], **options)[
            "executionArn"
        ]
        while (told := self._states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            time.sleep(0.02)
        return dict(told)


def both_claim(machine: Machine) -> bool:
    """Whether two conditional writes that meet in moto both succeed."""
    machine.client("s3").create_bucket(Bucket="claims")
    meeting = threading.Barrier(2, timeout=2)
    look = S3Backend.get_object

    def look_together(self: Any, bucket: str, key: str, *rest: Any, **more: Any) -> Any:
        found = look(self, bucket, key, *rest, **more)
        if bucket == "claims":
            with contextlib.suppress(threading.BrokenBarrierError):
                meeting.wait()
        return found

    def claim(_: int) -> bool:
        try:
            machine.client("s3").put_object(Bucket="claims", Key="k", Body=b"", IfNoneMatch="*")
        except ClientError:
            return False
        return True

    with mock.patch.object(S3Backend, "get_object", look_together), ThreadPoolExecutor(2) as two:
        return all(two.map(claim, range(2)))


def nobody_hears_of_the_end(machine: Machine) -> bool:
    """Whether an execution may end without any event about it."""
    events, sqs = machine.client("events"), machine.client("sqs")
    url = sqs.create_queue(QueueName="ends")["QueueUrl"]
    events.put_rule(Name="ends", EventPattern=json.dumps({"source": ["aws.states"]}))
    events.put_targets(
        Rule="ends", Targets=[{"Id": "ends", "Arn": "arn:aws:sqs:us-east-1:123456789012:ends"}]
    )
    machine.run(PASS, name="a")
    return not sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages")


def defects(machine: Machine) -> dict[str, bool]:
    machine.client("s3").create_bucket(Bucket="photos")
    parse = execution_worker.AmazonStateLanguageParser.parse
    definition = json.dumps({"StartAt": "S", "States": {"S": PASS | {"End": True}}})
    clients = [boto_client_for("us-east-1", "s3") for _ in range(2)]
    return {
        "_announce_ends": nobody_hears_of_the_end(machine),
        "_decide_conditions_alone": both_claim(machine),
        "_shape_sdk_parameters": machine.run(PUT_JSON, name="a")["status"] == "FAILED",
        "_name_s3_errors": machine.run(GET_NOTHING, name="a")["error"].startswith("s3."),
        "_name_unnamed_executions": machine.run(PASS)["executionArn"].endswith(":None"),
        "_reuse_clients": clients[0] is not clients[1],
        "_list_services_once": backends.list_of_moto_modules()
        is not backends.list_of_moto_modules(),
        "_parse_once": parse(definition) is not parse(definition),
    }


def main() -> None:
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    if sys.argv[1:] == ["mended"]:
        moto_compat.apply()
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    os.environ["MOTO_PORT"] = str(port)
    sys.stdout.write(json.dumps(defects(Machine(port))))
    server.stop()


if __name__ == "__main__":
    main()
