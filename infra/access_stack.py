"""Create a role and a log group for each container function, before any function exists."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.grants import statements
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
        for function in blueprint.functions:
            allowed = statements(function, blueprint, names, key_arns=key_arns)
            _function_access(self, function, names, iam.PolicyDocument(statements=list(allowed)))
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


def _function_access(
    scope: Construct, function: DeclaredFunction, names: Names, allowed: iam.PolicyDocument
) -> None:
    name = function.name(names)
    construct_id = pascal_case("-".join(filter(None, [function.manifest.name, function.model])))
    iam.Role(
        scope,
        f"{construct_id}Role",
        role_name=name,
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"declared": allowed},
    )
    logs.LogGroup(
        scope,
        f"{construct_id}Logs",
        log_group_name=names.log_group(name),
        retention=logs.RetentionDays.THREE_MONTHS,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
