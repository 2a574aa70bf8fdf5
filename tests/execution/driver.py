"""Photos in, facts out: what a test asks of a running cloud, through its public API."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipeline.local.cloud import LocalCloud
from pipeline.local.deployment import NAMES
from pipeline.operations.executions import Execution
from pipeline.session.watching import Watch, describe
from tests.calm import wait_for_calm
from tests.execution.faults import Faults

PATIENCE_S = 60


@dataclass
class Driver:
    cloud: LocalCloud
    faults: Faults

    @cached_property
    def _watch(self) -> Watch:
        return Watch(self.cloud)

    @property
    def s3(self) -> Any:
        return self.cloud.client("s3")

    def drop(self, content: bytes, key: str, **metadata: str) -> Execution:
        """Put a photo into the ingest bucket and wait for the execution EventBridge starts."""
        list(self._watch.ended())
        self.put(content, key, **metadata)
        (execution,) = self.wait_for([key])
        return execution

    def put(
        self, content: bytes, key: str, *, to: str = NAMES.bucket("ingest"), **options: str
    ) -> None:
        metadata = {f"matteline-{name.replace('_', '-')}": text for name, text in options.items()}
        self.s3.put_object(Bucket=to, Key=key, Body=content, Metadata=metadata)

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Photos arrive and no event tells of them."""
        events, rule = self.cloud.client("events"), NAMES.machine("cutout")
        (target,) = events.list_targets_by_rule(Rule=rule)["Targets"]
        events.remove_targets(Rule=rule, Ids=[target["Id"]])
        yield
        events.put_targets(Rule=rule, Targets=[target])

    def wait_for(self, keys: list[str]) -> list[Execution]:
        """The ended execution of each key, in that order. Old executions do not count."""
        deadline = time.monotonic() + PATIENCE_S
        found: dict[str, Execution] = {}
        while len(found) < len(keys):
            assert time.monotonic() < deadline, f"no execution ended for {set(keys) - set(found)}"
            found |= {row.key: row for row in self._watch.ended() if row.key in keys}
            time.sleep(0.08)
        return [found[key] for key in keys]

    def start(self, execution_input: object) -> Execution:
        """Start an execution by hand and wait for its end."""
        return self._start("cutout", execution_input)

    def stage(self, model: str) -> Execution:
        """Stage one model's weights and wait for it."""
        return self._start("stage-weights", {"models": [model]})

    def record_failure(self, event: object) -> Execution:
        """Tell `record-failure` of an end."""
        return self._start("record-failure", event)

    def reap(self, **asked: object) -> Execution:
        """Have dead jobs closed, and wait for all that comes of it."""
        reaped = self._start("reap-jobs", asked)
        wait_for_calm(self.cloud, patience_s=PATIENCE_S)
        return reaped

    def begin(self, execution_input: object, machine: str = "cutout") -> str:
        """Start an execution by hand; return its ARN."""
        started = self.cloud.client("stepfunctions").start_execution(
            stateMachineArn=NAMES.machine_arn(machine), input=json.dumps(execution_input)
        )
        return str(started["executionArn"])

    def _start(self, machine: str, execution_input: object) -> Execution:
        arn = self.begin(execution_input, machine)
        self.wait_until_ended(arn)
        return describe(self.cloud.client("stepfunctions"), arn)

    def wait_until_ended(self, arn: str) -> None:
        states = self.cloud.client("stepfunctions")
        deadline = time.monotonic() + PATIENCE_S
        while states.describe_execution(executionArn=arn)["status"] == "RUNNING":
            assert time.monotonic() < deadline, f"{arn} does not end"
            time.sleep(0.02)

    def recording_of(self, execution: Execution) -> Execution:
        """What `record-failure` made of an execution that ended badly."""
        states = self.cloud.client("stepfunctions")
        deadline = time.monotonic() + PATIENCE_S
        while True:
            assert time.monotonic() < deadline, f"nobody recorded how {execution.arn} ended"
            arn = NAMES.machine_arn("record-failure")
            listed = states.list_executions(stateMachineArn=arn, maxResults=20)["executions"]
            for row in (row for row in listed if row["status"] != "RUNNING"):
                recording = describe(states, row["executionArn"])
                if recording.input["detail"]["executionArn"] == execution.arn:
                    return recording
            time.sleep(0.02)

    def running(self) -> str:
        """The ARN of the one execution of the cutout machine that runs."""
        listed = self.cloud.client("stepfunctions").list_executions(
            stateMachineArn=NAMES.machine_arn("cutout"), statusFilter="RUNNING"
        )
        (row,) = listed["executions"]
        return str(row["executionArn"])

    def new_bucket(self) -> str:
        """A bucket of somebody else's: not versioned, starts nothing."""
        name = f"other-{uuid.uuid4().hex}"
        self.s3.create_bucket(Bucket=name)
        return name

    def read(self, uri: str) -> bytes:
        name, _, key = uri.removeprefix("s3://").partition("/")
        content: bytes = self.s3.get_object(Bucket=name, Key=key)["Body"].read()
        return content

    def keys(self, of: str, *, prefix: str = "") -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=NAMES.bucket(of), Prefix=prefix
        )
        return [stored["Key"] for page in pages for stored in page.get("Contents", [])]

    def record(self, job_id: str) -> dict[str, str]:
        """The job's row, plain strings; empty if there is none."""
        dynamodb = self.cloud.client("dynamodb")
        row = dynamodb.get_item(TableName=NAMES.table("jobs"), Key={"job_id": {"S": job_id}})
        return {name: next(iter(value.values())) for name, value in row.get("Item", {}).items()}

    def records_of(self, key: str) -> list[dict[str, str]]:
        """The rows of an object's jobs, less those of executions that claimed none."""
        rows = self.cloud.client("dynamodb").scan(TableName=NAMES.table("jobs"))["Items"]
        plain = [{name: next(iter(value.values())) for name, value in row.items()} for row in rows]
        return [
            row
            for row in plain
            if row.get("key") == key and row["job_id"] != row["execution"].rpartition(":")[2]
        ]

    def reason(self, execution: Execution) -> dict[str, Any]:
        """What quarantine says about an execution."""
        name = execution.arn.rpartition(":")[2]
        uri = f"s3://{NAMES.bucket('quarantine')}/{name}/reason.json"
        reason: dict[str, Any] = json.loads(self.read(uri))
        return reason

    def states_of(self, execution: Execution) -> list[str]:
        """The names of the states it entered, in order."""
        return [event["name"] for event in self._history(execution, "stateEnteredEventDetails")]

    def task_errors(self, execution: Execution) -> list[str]:
        """The error of every task attempt that failed, in order."""
        return [event["error"] for event in self._history(execution, "taskFailedEventDetails")]

    def _history(self, execution: Execution, kind: str) -> list[dict[str, Any]]:
        states = self.cloud.client("stepfunctions")
        history = states.get_execution_history(executionArn=execution.arn)
        return [event[kind] for event in history["events"] if kind in event]
