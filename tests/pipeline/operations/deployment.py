"""A deployment of two products on moto: their machines, the jobs table and the ingest bucket."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

import boto3
from pydantic import JsonValue

from pipeline.declared.names import LOCAL_NAMES
from pipeline.declared.resources import load_resources
from pipeline.local.deployment import create_tables
from pipeline.operations.site import Site
from tests.conftest import ROOT
from tests.pipeline.operations.sites import PRODUCTS

# A local cloud that ran earlier in this process has told moto to run state machines.
STANDING: Final[Any] = {"stepfunctions": {"execute_state_machine": False}}
ROLE: Final = "arn:aws:iam::123456789012:role/machine"
DEFINITION: Final = {"StartAt": "Wait", "States": {"Wait": {"Type": "Succeed"}}}
INGEST: Final = LOCAL_NAMES.bucket("ingest")
INPUT: Final[dict[str, JsonValue]] = {"bucket": INGEST, "key": "talk.mp3"}


class Deployment:
    """Executions run until they are stopped, and objects start none."""

    def __init__(self) -> None:
        session = boto3.Session("key", "secret", region_name=LOCAL_NAMES.region)
        self.site = Site(LOCAL_NAMES, session, PRODUCTS)
        self.states = self.site.client("stepfunctions")
        self.described: Counter[str] = Counter()
        self.states.meta.events.register("provide-client-params.sfn.DescribeExecution", self._count)
        for product in PRODUCTS:
            self.states.create_state_machine(
                name=LOCAL_NAMES.machine(product.machine),
                definition=json.dumps(DEFINITION),
                roleArn=ROLE,
            )
        create_tables(load_resources(ROOT), self.site.client("dynamodb"))
        self.site.client("s3").create_bucket(Bucket=INGEST)
        self.site.client("s3").put_bucket_versioning(
            Bucket=INGEST, VersioningConfiguration={"Status": "Enabled"}
        )

    def _count(self, params: dict[str, Any], **_: Any) -> None:
        self.described[params["executionArn"]] += 1

    def put(self, key: str) -> None:
        self.site.client("s3").put_object(Bucket=INGEST, Key=key, Body=key.encode())

    def ended(self, machine: str, name: str, key: str = "talk.mp3") -> str:
        """Return the ARN of an execution that was started and stopped."""
        arn = self.running(machine, name, key)
        self.stop(arn)
        return arn

    def running(self, machine: str, name: str, key: str = "talk.mp3") -> str:
        """Return the ARN of an execution that was started."""
        started = self.states.start_execution(
            stateMachineArn=LOCAL_NAMES.machine_arn(machine),
            name=name,
            input=json.dumps({**INPUT, "key": key}),
        )
        return str(started["executionArn"])

    def stop(self, arn: str) -> None:
        self.states.stop_execution(executionArn=arn)

    def record(self, job_id: str, execution: str, **attributes: str) -> None:
        facts = {"job_id": job_id, "status": "FAILED", "execution": execution, **attributes}
        self.site.client("dynamodb").put_item(
            TableName=LOCAL_NAMES.table("jobs"),
            Item={name: {"S": text} for name, text in facts.items()},
        )
