"""Use a deployed stage through AWS's public API."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pipeline.declared.names import Names
from pipeline.operations.executions import Execution
from pipeline.session.watching import describe
from tests.wiring.assembly import Template
from tests.wiring.deployment import deploy, release
from tests.wiring.ministack import REGION, MiniStack

T = TypeVar("T")
_PATIENCE_S: Final = 180


@dataclass(frozen=True)
class Stage:
    """The stage `dev` in one account of MiniStack."""

    cloud: MiniStack
    names: Names

    @classmethod
    def deployed(cls, stacks: Mapping[str, Template], cloud: MiniStack) -> Stage:
        deploy(stacks, cloud)
        release(stacks, cloud)
        suffix = f"-{cloud.account}-{REGION}"
        return cls(cloud, Names("matteline-dev", cloud.account, REGION, bucket_suffix=suffix))

    def drop(
        self, content: bytes, key: str, *, machine: str = "cutout", **options: str
    ) -> Execution:
        """Upload a file and return the ended execution of the machine that its rule started."""
        self.cloud.client("s3").put_object(
            Bucket=self.names.bucket("ingest"),
            Key=key,
            Body=content,
            Metadata={f"matteline-{name}": text for name, text in options.items()},
        )
        return self.ended(machine, key)

    def ended(self, machine: str, key: str) -> Execution:
        """Return the machine's execution for an object, once it has ended."""
        return _first(lambda: [row for row in self._ended(machine) if row.key == key])

    def start(self, machine: str, asked: object) -> Execution:
        """Start an execution by hand; return it once it has ended."""
        states = self.cloud.client("stepfunctions")
        arn = states.start_execution(
            stateMachineArn=self.names.machine_arn(machine), input=json.dumps(asked)
        )["executionArn"]
        _first(lambda: _ended_as(states, arn))
        return describe(states, arn)

    def entered(self, execution: Execution, state: str) -> Any:
        """Return the input with which an execution entered a state."""
        states = self.cloud.client("stepfunctions")
        events = states.get_execution_history(executionArn=execution.arn)["events"]
        details = (event.get("stateEnteredEventDetails", {}) for event in events)
        (given,) = (each["input"] for each in details if each.get("name") == state)
        return json.loads(given)

    def redrive(self, execution: Execution, machine: str, *, at: str) -> Execution:
        """Go on at a state where an execution failed, with that state's input; return how it ended.

        MiniStack has no Redrive, so a copy of the machine that starts there stands in.
        """
        states = self.cloud.client("stepfunctions")
        arn = self.names.unqualified_machine_arn(machine)
        original = states.describe_state_machine(stateMachineArn=arn)
        definition = json.loads(original["definition"]) | {"StartAt": at}
        copy = states.create_state_machine(
            name=f"{self.names.machine(machine)}-redriven",
            definition=json.dumps(definition),
            roleArn=original["roleArn"],
        )["stateMachineArn"]
        started = states.start_execution(
            stateMachineArn=copy, input=json.dumps(self.entered(execution, at))
        )["executionArn"]
        _first(lambda: _ended_as(states, started))
        ended = describe(states, started)
        states.delete_state_machine(stateMachineArn=copy)
        return ended

    @contextmanager
    def denied(self, role: str, action: str, bucket: str, key: str) -> Iterator[None]:
        """Deny a role an action on objects for as long as this lasts."""
        iam, name = self.cloud.client("iam"), "denied"
        place = f"arn:aws:s3:::{self.names.bucket(bucket)}/{key}"
        statement = {"Effect": "Deny", "Action": action, "Resource": place}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=policy)
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName=name)

    def read(self, bucket: str, key: str) -> bytes:
        stored = self.cloud.client("s3").get_object(Bucket=self.names.bucket(bucket), Key=key)
        content: bytes = stored["Body"].read()
        return content

    def read_json(self, bucket: str, key: str) -> Any:
        return json.loads(self.read(bucket, key))

    def record_of(self, execution: Execution) -> dict[str, str]:
        """Return the row of the execution's job as plain strings, once it has ended."""
        return self.record_of_arn(execution.arn)

    def record_of_arn(self, arn: str) -> dict[str, str]:
        return _first(lambda: [row for row in self._rows() if row["execution"] == arn])

    def leave_running(self, job_id: str, execution: str) -> None:
        """Add a RUNNING job that names an execution, whether the execution exists or not."""
        facts = {"job_id": job_id, "status": "RUNNING", "execution": execution}
        self.cloud.client("dynamodb").put_item(
            TableName=self.names.table("jobs"),
            Item={name: {"S": text} for name, text in facts.items()},
        )

    def reap(self) -> None:
        """Run the reaper without its wait, and with MiniStack's error name (see `differences`)."""
        states, arn = self.cloud.client("stepfunctions"), self.names.machine_arn("reap-jobs")
        arn = arn.removesuffix(":live")
        text = states.describe_state_machine(stateMachineArn=arn)["definition"]
        definition = json.loads(text.replace("DoesNotExistException", "DoesNotExist"))
        definition["States"]["LetItSettle"]["Seconds"] = 0
        states.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))
        started = states.start_execution(stateMachineArn=arn, input="{}")["executionArn"]
        (status,) = _first(lambda: _ended_as(states, started))
        assert status == "SUCCEEDED", states.describe_execution(executionArn=started)

    def _ended(self, machine: str) -> list[Execution]:
        states = self.cloud.client("stepfunctions")
        arn = self.names.unqualified_machine_arn(machine)
        listed = states.list_executions(stateMachineArn=arn)["executions"]
        arns = [row["executionArn"] for row in listed if row["status"] != "RUNNING"]
        return [describe(states, arn) for arn in arns]

    def _rows(self) -> list[dict[str, str]]:
        rows = self.cloud.client("dynamodb").scan(TableName=self.names.table("jobs"))["Items"]
        plain = [{name: next(iter(value.values())) for name, value in row.items()} for row in rows]
        return [row for row in plain if row["status"] != "RUNNING"]


def _ended_as(states: Any, arn: str) -> list[tuple[str]]:
    status = states.describe_execution(executionArn=arn)["status"]
    return [] if status == "RUNNING" else [(status,)]


def _first(find: Callable[[], list[T]]) -> T:
    deadline = time.monotonic() + _PATIENCE_S
    while not (found := find()):
        assert time.monotonic() < deadline, "nothing matching has ended"
        time.sleep(0.2)
    return found[0]
