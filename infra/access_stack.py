"""Create a role for each container function and job, and a log group, before any exists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.batch_roles import tasks_of_ecs
from infra.grants import job_statements, statements
from pipeline.declared.blueprint import Blueprint, DeclaredFunction
from pipeline.declared.declaration import pascal_case
from pipeline.declared.names import Names


class AccessStack(cdk.Stack):
    """The IAM roles of functions and of CodeDeploy, so that a release never changes IAM."""

    def __init__(
        self,
        scope: Construct,
        stack_id: str,
        *,
        blueprint: Blueprint,
        names: Names,
        keys: Mapping[str, kms.IKey],
    ) -> None:
        """`keys` are those that encrypt each bucket."""
        super().__init__(scope, stack_id, description="Matteline: roles and log groups")
        key_arns = {bucket: key.key_arn for bucket, key in keys.items()}
        on_batch = {job.name(names) for job in blueprint.jobs}
        of_lambda = {function.name(names) for function in blueprint.functions}
        for function in (*blueprint.functions, *_only_on_batch(blueprint)):
            name = function.name(names)
            allowed = [*statements(function, blueprint, names, key_arns=key_arns)]
            allowed += job_statements(names) if name in on_batch else []
            services = [
                *([iam.ServicePrincipal("lambda.amazonaws.com")] if name in of_lambda else []),
                *([tasks_of_ecs(names)] if name in on_batch else []),
            ]
            _role(self, function, names, allowed, services)
            if name in of_lambda:
                _log(self, function, names)
        iam.Role(
            self,
            "CodeDeployRole",
            role_name=names.deployer(),
            assumed_by=iam.ServicePrincipal("codedeploy.amazonaws.com"),
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name(
                    "service-role/AWSCodeDeployRoleForLambdaLimited"
                )
            ],
        )


def _only_on_batch(blueprint: Blueprint) -> list[DeclaredFunction]:
    """Return the functions that there would be if Lambda could run every model."""
    return [
        DeclaredFunction(job.manifest, job.row)
        for job in blueprint.jobs
        if job.row.compute == "batch"
    ]


def _role(
    scope: Construct,
    function: DeclaredFunction,
    names: Names,
    allowed: Sequence[iam.PolicyStatement],
    services: Sequence[iam.PrincipalBase],
) -> None:
    """Create the one role of a model, for whatever runs it."""
    iam.Role(
        scope,
        f"{_construct_id(function)}Role",
        role_name=function.name(names),
        assumed_by=services[0] if len(services) == 1 else iam.CompositePrincipal(*services),
        inline_policies={"declared": iam.PolicyDocument(statements=list(allowed))},
    )


def _log(scope: Construct, function: DeclaredFunction, names: Names) -> None:
    logs.LogGroup(
        scope,
        f"{_construct_id(function)}Logs",
        log_group_name=names.log_group(function.name(names)),
        retention=logs.RetentionDays.THREE_MONTHS,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )


def _construct_id(function: DeclaredFunction) -> str:
    return pascal_case("-".join(filter(None, [function.manifest.name, function.model])))
