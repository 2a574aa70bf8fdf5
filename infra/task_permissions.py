"""Derive a state machine's IAM statements from its Task states, and grant nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aws_cdk import aws_iam as iam

from infra.asl import DistributedMap, TaskState, distributed_maps, placeholders, task_states
from infra.release_permissions import RELEASE_ACTIONS, ReleasePermissions
from pipeline.compute import LANES
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names
from pipeline.declared.placeholders import fill

_S3_ACTIONS: Final = {
    "putObject": ["s3:PutObject"],
    "getObject": ["s3:GetObject"],
    "getObjectAttributes": ["s3:GetObject", "s3:GetObjectAttributes"],
}
_FOLLOWED: Final = (
    "states:DescribeExecution",
    "states:StopExecution",
    "states:RedriveExecution",
)
_ANY: Final = "*"
_ANY_PRODUCT: Final = "ProductStateMachineArnTemplate"


class UnknownIntegration(ValueError):
    """A Task state calls a service or target whose permissions are unknown."""


class TaskPermissions:
    """IAM statements for the role of any state machine of a blueprint."""

    def __init__(self, blueprint: Blueprint, names: Names) -> None:
        self._blueprint = blueprint
        self._names = names
        self._substitutions = blueprint.substitutions(names)
        self._releases = ReleasePermissions(blueprint, names)

    def statements(self, definition: str) -> tuple[iam.PolicyStatement, ...]:
        """Return statements in state order. UnknownIntegration names a task it cannot grant."""
        tasks = task_states(definition)
        found = [statement for task in tasks for statement in self._of(task)]
        objects = any(task.integration.startswith("aws-sdk:s3:") for task in tasks)
        return (*found, *([self._data_key()] if objects else []))

    def of_maps(self, machine: str, definition: str) -> tuple[iam.PolicyStatement, ...]:
        """Return what distributed Maps need: they start executions of their own machine."""
        maps = distributed_maps(definition)
        return tuple(statement for each in maps for statement in self._of_map(machine, each))

    def _of_map(self, machine: str, each: DistributedMap) -> Iterator[iam.PolicyStatement]:
        """Allow a Map to read its items, write its results and run its child executions."""
        bucket = each.reader["Parameters"]["Bucket"]
        if each.reads == "s3:listObjectsV2":
            yield _allow("s3:ListBucket", [self._s3(bucket)])
        else:
            listed = TaskState(each.name, each.reads, each.reader["Parameters"]).text("Key")
            yield _allow("s3:GetObject", [self._s3(f"{bucket}/{listed}")])
        results = [self._s3(f"{each.writer['Bucket']}/backfill/*")]
        yield _allow(["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"], results)
        own = self._names.unqualified_machine_arn(machine)
        yield _allow("states:StartExecution", [own, f"{own}:*"])
        executions = self._names.execution_arn(machine, "*")
        children = self._names.execution_arn(f"{machine}/*", "*")
        yield _allow(_FOLLOWED, [executions, children])
        yield _allow("states:ListMapRuns", [executions])
        runs = f"{self._names.arn('states')}:mapRun:{self._names.machine(machine)}/*:*"
        yield _allow("states:DescribeMapRun", [runs])

    def _of(self, task: TaskState) -> Iterator[iam.PolicyStatement]:
        match task.integration.split(":"):
            case ["lambda", "invoke"]:
                yield _allow("lambda:InvokeFunction", self._functions(task))
            case ["dynamodb", action] | ["aws-sdk", "dynamodb", action]:
                yield _allow(f"dynamodb:{_capitalised(action)}", [self._table(task)])
            case ["aws-sdk", "s3", action]:
                yield from self._of_objects(task, action)
            case ["aws-sdk", "ecr" | "cloudformation", action] if action in RELEASE_ACTIONS:
                yield from self._releases.of(action)
            case ["states", *action] | ["aws-sdk", "sfn", *action]:
                yield from self._of_executions(task, action)
            case ["batch", "submitJob.sync"]:
                yield from self._run_job(task)
            case ["events", "putEvents"]:
                yield self._put_events(task)
            case _:
                raise _unknown(task)

    def _of_objects(self, task: TaskState, action: str) -> Iterator[iam.PolicyStatement]:
        match action:
            case "listObjectsV2":
                yield _allow("s3:ListBucket", [self._s3(task.text("Bucket"))])
            case "copyObject":
                yield _allow("s3:GetObject", [self._s3(task.text("CopySource"))])
                yield _allow("s3:PutObject", [self._object(task)])
            case _ if action in _S3_ACTIONS:
                yield _allow(_S3_ACTIONS[action], [self._object(task)])
                if action != "putObject":
                    # Without s3:ListBucket, S3 answers 403 instead of 404 for a missing key.
                    yield _allow("s3:ListBucket", [self._s3(task.text("Bucket"))])
            case _:
                raise _unknown(task)

    def _of_executions(
        self, task: TaskState, action: Sequence[str]
    ) -> Iterator[iam.PolicyStatement]:
        match action:
            case ["startExecution"]:
                yield self._start(self._children(task))
            case ["startExecution.sync", "2"]:
                yield from self._start_and_wait(task)
            case ["describeExecution"] if task.text("ExecutionArn") == _ANY:
                claiming = [*self._blueprint.claiming]
                yield _allow("states:DescribeExecution", self._executions(claiming))
            case ["listMapRuns" | "describeMapRun"]:
                return  # granted with its Map
            case _:
                raise _unknown(task)

    def _functions(self, task: TaskState) -> list[str]:
        """Return the `live` alias ARN of each function the task may call.

        Zipped functions have no alias.
        """
        named = placeholders(task.text("FunctionName"))
        own = [
            each.function(self._names)
            for each in self._blueprint.operations(self._names)
            if {each.placeholder} == named
        ]
        if own:
            return [f"{self._names.arn('lambda')}:function:{name}" for name in own]
        arns = [
            f"{self._names.function_arn(each.manifest.name, each.model)}:live"
            for each in self._blueprint.functions
            if each.manifest.placeholder in named
        ]
        if not arns or not task.text("FunctionName").endswith(":live"):
            raise UnknownIntegration(f"{task.name}: does not invoke a container's live alias")
        return arns

    def _table(self, task: TaskState) -> str:
        arn = f"{self._names.arn('dynamodb')}:table/{self._filled(task.text('TableName'))}"
        index = task.parameters.get("IndexName")
        return f"{arn}/index/{index}" if index else arn

    def _object(self, task: TaskState) -> str:
        return self._s3(f"{task.text('Bucket')}/{task.text('Key')}")

    def _s3(self, resource: str) -> str:
        return f"arn:{self._names.partition}:s3:::{self._filled(resource)}"

    @property
    def _products(self) -> list[str]:
        return [product.machine for product in self._blueprint.products]

    def _children(self, task: TaskState) -> list[str]:
        """Return the machines that the task may start: the one it names, or every product's."""
        (placeholder,) = placeholders(task.text("StateMachineArn"))
        if placeholder == _ANY_PRODUCT:
            return self._products
        (child,) = (
            name
            for name in self._blueprint.definitions
            if self._substitutions[placeholder] == self._names.machine_arn(name)
        )
        return [child]

    def _start(self, machines: Sequence[str]) -> iam.PolicyStatement:
        return _allow("states:StartExecution", [self._names.machine_arn(name) for name in machines])

    def _executions(self, machines: Sequence[str]) -> list[str]:
        return [self._names.execution_arn(name, _ANY) for name in machines]

    def _start_and_wait(self, task: TaskState) -> Iterator[iam.PolicyStatement]:
        """Allow a task to start an execution and to manage the rule that reports its end."""
        children = self._children(task)
        watch = ["states:DescribeExecution", "states:StopExecution"]
        yield self._start(children)
        yield _allow(watch, self._executions(children))
        yield self._hear("StepFunctionsGetEventsForStepFunctionsExecutionRule")

    def _run_job(self, task: TaskState) -> Iterator[iam.PolicyStatement]:
        """Allow the jobs of this deployment, if it has any, and the rule that reports their end."""
        definition, queue = (task.text(name) for name in ("JobDefinition", "JobQueue"))
        if (definition, queue) != ("${JobDefinitionPrefix}*", _ANY):
            raise _unknown(task)
        arn, names, jobs = self._names.arn("batch"), self._names, self._blueprint.jobs
        if not jobs:
            return
        containers = sorted({job.manifest.name for job in jobs})
        kinds = self._blueprint.job_machines
        queues = [names.job_queue(kind, lane) for kind in kinds for lane in LANES]
        yield _allow(
            "batch:SubmitJob",
            [
                *(f"{arn}:job-definition/{names.job_definition(one, '*')}" for one in containers),
                *(f"{arn}:job-queue/{queue}" for queue in queues),
            ],
        )
        yield _allow("batch:DescribeJobs", [_ANY])  # this action has no resource type
        yield _allow("batch:TerminateJob", [f"{arn}:job/*"])
        yield self._hear("StepFunctionsGetEventsForBatchJobsRule")

    def _hear(self, rule: str) -> iam.PolicyStatement:
        """Allow to manage the rule by which Step Functions hears of an end."""
        actions = ["events:PutTargets", "events:PutRule", "events:DescribeRule"]
        return _allow(actions, [f"{self._names.arn('events')}:rule/{rule}"])

    def _put_events(self, task: TaskState) -> iam.PolicyStatement:
        sources = sorted({entry["Source"] for entry in task.parameters["Entries"]})
        return _allow(
            "events:PutEvents",
            [f"{self._names.arn('events')}:event-bus/default"],
            {"StringEquals": {"events:source": sources}},
        )

    def _data_key(self) -> iam.PolicyStatement:
        return _allow(
            ["kms:Decrypt", "kms:GenerateDataKey"],
            [f"{self._names.arn('kms')}:key/*"],
            {
                "StringEquals": {"kms:ViaService": f"s3.{self._names.region}.amazonaws.com"},
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": self._names.data_key()},
            },
        )

    def _filled(self, text: str) -> str:
        return fill(text, self._substitutions)


def _unknown(task: TaskState) -> UnknownIntegration:
    return UnknownIntegration(f"{task.name}: unknown permissions for {task.resource}")


def _allow(
    actions: str | Sequence[str],
    resources: Sequence[str],
    conditions: Mapping[str, Any] | None = None,
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=[actions] if isinstance(actions, str) else list(actions),
        resources=list(resources),
        conditions=conditions,
    )


def _capitalised(action: str) -> str:
    return action[0].upper() + action[1:]
