"""Define the stack of AWS Batch, which a stage has only if its settings ask for it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.alarms import Alarms
from infra.batch_machines import MachinesOfBatch
from infra.batch_network import BatchNetwork, Network
from infra.batch_roles import execution_role, machine_profile
from pipeline.compute import LANES
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.declaration import pascal_case
from pipeline.declared.names import Names


class BatchStack(cdk.Stack):
    """Machines for the jobs of a blueprint, their queues, roles and logs; no machine at rest.

    Job definitions are in the stacks of functions, because a release moves both
    (docs/decisions/0067-jobs-are-released-with-their-functions.md).
    """

    def __init__(
        self,
        scope: Construct,
        stack_id: str,
        *,
        blueprint: Blueprint,
        names: Names,
        max_vcpus: int,
        network: Network | None,
    ) -> None:
        super().__init__(scope, stack_id, description="Matteline: machines and queues of AWS Batch")
        containers = sorted({job.manifest.name for job in blueprint.jobs})
        execution_role(self, containers, names)
        for container in containers:
            _log(self, f"{pascal_case(container)}Logs", names.job_log_group(container))
        own = BatchNetwork(self, names=names, given=network)
        profile = machine_profile(self, names)
        for kind in blueprint.job_machines:
            MachinesOfBatch(
                self,
                kind,
                names=names,
                network=own,
                profile=profile.attr_arn,
                max_vcpus=max_vcpus,
            )
        queues = [names.job_queue(kind, lane) for kind in blueprint.job_machines for lane in LANES]
        _watch(self, queues, names)


def _watch(scope: Construct, queues: list[str], names: Names) -> None:
    """Log the events of queues whose first job cannot start, and alarm on them."""
    name = names.batch_events_log_group()
    log = _log(scope, "Events", name)
    writer = iam.PolicyStatement(
        principals=[
            iam.ServicePrincipal("events.amazonaws.com"),
            iam.ServicePrincipal("delivery.logs.amazonaws.com"),
        ],
        actions=["logs:CreateLogStream", "logs:PutLogEvents"],
        resources=[f"{names.arn('logs')}:log-group:{name}:*"],
        conditions={"StringEquals": {"aws:SourceAccount": names.account}},
    )
    logs.CfnResourcePolicy(
        scope,
        "EventsPolicy",
        policy_name=f"{names.prefix}-batch-events",
        policy_document=cdk.Stack.of(scope).to_json_string(
            iam.PolicyDocument(statements=[writer]).to_json()
        ),
    )
    arns = [f"{names.arn('batch')}:job-queue/{queue}" for queue in queues]
    events.CfnRule(
        scope,
        "Blocked",
        name=f"{names.prefix}-batch-blocked",
        description="A queue of AWS Batch whose first job cannot start",
        event_pattern={
            "source": ["aws.batch"],
            "detail-type": ["Batch Job Queue Blocked"],
            "detail": {"jobQueueArn": arns},
        },
        targets=[
            events.CfnRule.TargetProperty(arn=f"{names.arn('logs')}:log-group:{name}", id="Events")
        ],
    )
    Alarms(scope, names).add(
        "batch-blocked",
        cloudwatch.Metric(
            namespace="AWS/Logs",
            metric_name="IncomingLogEvents",
            dimensions_map={"LogGroupName": log.log_group_name},
            statistic="Sum",
            period=cdk.Duration.minutes(5),
        ),
        above=0,
        meaning="The first job of a queue of AWS Batch cannot start, and those behind it wait.",
        section="batch-blocked",
    )


def _log(scope: Construct, construct_id: str, name: str) -> logs.LogGroup:
    return logs.LogGroup(
        scope,
        construct_id,
        log_group_name=name,
        retention=logs.RetentionDays.THREE_MONTHS,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
