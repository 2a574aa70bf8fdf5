"""Define one of the platform's zipped functions on AWS, with its own role and log group."""

from __future__ import annotations

from collections.abc import Iterable

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from pipeline.declared.blueprint import DeclaredOperation
from pipeline.declared.declaration import pascal_case
from pipeline.declared.names import Names


class Operation(Construct):
    """A Python 3.13 function. It uses the runtime's boto3, so no build has to run first."""

    def __init__(
        self,
        scope: Construct,
        declared: DeclaredOperation,
        *,
        code: lambda_.Code,
        allowed: Iterable[iam.PolicyStatement],
        names: Names,
    ) -> None:
        super().__init__(scope, pascal_case(declared.name))
        name = declared.function(names)
        log = logs.LogGroup(
            self,
            "Log",
            log_group_name=names.log_group(name),
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=declared.operation.summary,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler=declared.handler,
            code=code,
            memory_size=declared.operation.memory_mb,
            timeout=cdk.Duration.seconds(declared.operation.timeout_s),
            environment=dict(declared.environment),
            role=_role(self, names, name, allowed),
            log_group=log,
        )


def _role(
    scope: Construct, names: Names, function: str, allowed: Iterable[iam.PolicyStatement]
) -> iam.Role:
    stream = f"{names.arn('logs')}:log-group:{names.log_group(function)}:*"
    observed = iam.PolicyStatement(
        actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[stream]
    )
    return iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"declared": iam.PolicyDocument(statements=[observed, *allowed])},
    )
