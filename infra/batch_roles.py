"""Define the roles of AWS Batch's machines, and of what starts the containers on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.build_parts import allow
from pipeline.declared.names import Names


def tasks_of_ecs(names: Names) -> iam.ServicePrincipal:
    """Return who assumes the roles of jobs: ECS, for tasks of this account and region."""
    return iam.ServicePrincipal(
        "ecs-tasks.amazonaws.com",
        conditions={
            "StringEquals": {"aws:SourceAccount": names.account},
            "ArnLike": {"aws:SourceArn": f"{names.arn('ecs')}:*"},
        },
    )


def machine_profile(scope: Construct, names: Names) -> iam.CfnInstanceProfile:
    """Create the role of machines. Jobs can reach its credentials, so it may only serve ECS.

    Images are pulled, and logs written, with the execution role.
    """
    role = iam.Role(
        scope,
        "MachineRole",
        assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
        inline_policies={"agent": iam.PolicyDocument(statements=[*_agent(names)])},
    )
    return iam.CfnInstanceProfile(scope, "MachineProfile", roles=[role.role_name])


def _agent(names: Names) -> Iterator[iam.PolicyStatement]:
    """Yield what the ECS agent does. AWS Batch names the cluster, and ECS the machines in it."""
    ecs = names.arn("ecs")
    clusters, machines = f"{ecs}:cluster/*", f"{ecs}:container-instance/*"
    yield allow(["ecs:DiscoverPollEndpoint"], ["*"])
    yield allow(
        [
            "ecs:DeregisterContainerInstance",
            "ecs:RegisterContainerInstance",
            "ecs:SubmitAttachmentStateChanges",
            "ecs:SubmitContainerStateChange",
            "ecs:SubmitTaskStateChange",
        ],
        [clusters],
    )
    yield allow(
        ["ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"], [machines]
    )
    yield iam.PolicyStatement(
        actions=["ecs:TagResource"],
        resources=[machines],
        conditions={"StringEquals": {"ecs:CreateAction": "RegisterContainerInstance"}},
    )


def execution_role(scope: Construct, containers: Iterable[str], names: Names) -> None:
    """Create the role with which ECS pulls the images of jobs and writes what they log."""
    listed = [*containers]
    repositories = [f"{names.arn('ecr')}:repository/{names.repository(each)}" for each in listed]
    groups = [f"{names.arn('logs')}:log-group:{names.job_log_group(each)}:*" for each in listed]
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    statements = [
        allow(["ecr:GetAuthorizationToken"], ["*"]),
        allow(pull, repositories),
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], groups),
    ]
    iam.Role(
        scope,
        "ExecutionRole",
        role_name=names.job_execution_role(),
        assumed_by=tasks_of_ecs(names),
        inline_policies={"start": iam.PolicyDocument(statements=statements)},
    )
