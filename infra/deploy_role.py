"""Define the role CloudFormation assumes to release one container and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from aws_cdk import aws_iam as iam
from constructs import Construct

from pipeline.declared.blueprint import DeclaredJob
from pipeline.declared.containers import ContainerManifest
from pipeline.declared.declaration import pascal_case
from pipeline.declared.names import Names

_FUNCTION: Final = (
    "lambda:CreateFunction",
    "lambda:DeleteFunction",
    "lambda:GetFunction",
    "lambda:GetFunctionConfiguration",
    "lambda:ListTags",
    "lambda:ListVersionsByFunction",
    "lambda:PublishVersion",
    "lambda:TagResource",
    "lambda:UntagResource",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
    "lambda:CreateAlias",
    "lambda:DeleteAlias",
    "lambda:GetAlias",
    "lambda:UpdateAlias",
    # CloudFormation reads these back after each change, even where a function has none.
    "lambda:GetFunctionCodeSigningConfig",
    "lambda:GetFunctionRecursionConfig",
    "lambda:GetFunctionScalingConfig",
    "lambda:GetRuntimeManagementConfig",
)
_QUALIFIED: Final = ("lambda:GetProvisionedConcurrencyConfig",)
_IMAGE: Final = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:GetRepositoryPolicy")
_APPLICATION: Final = (
    "codedeploy:GetApplicationRevision",
    "codedeploy:RegisterApplicationRevision",
)
_GROUP: Final = (
    "codedeploy:CreateDeployment",
    "codedeploy:GetDeployment",
    "codedeploy:GetDeploymentGroup",
    "codedeploy:ListDeployments",
    "codedeploy:ListTagsForResource",
    "codedeploy:UpdateDeploymentGroup",
)
_JOB: Final = (
    "batch:DeregisterJobDefinition",
    "batch:RegisterJobDefinition",
    "batch:TagResource",
    "batch:UntagResource",
)
_RECORD: Final = (
    "ssm:AddTagsToResource",
    "ssm:DeleteParameter",
    "ssm:GetParameters",
    "ssm:ListTagsForResource",
    "ssm:PutParameter",
    "ssm:RemoveTagsFromResource",
)


class DeployRole(Construct):
    """A container's deploy role: it cannot change another container."""

    def __init__(
        self,
        scope: Construct,
        manifest: ContainerManifest,
        *,
        jobs: Sequence[DeclaredJob],
        names: Names,
    ) -> None:
        super().__init__(scope, f"{pascal_case(manifest.name)}DeployRole")
        document = iam.PolicyDocument(statements=list(_statements(manifest, jobs, names)))
        iam.Role(
            self,
            "Role",
            role_name=names.deploy_role(manifest.name),
            # No condition here: CloudFormation does not guarantee a source ARN or account with a
            # stack's role. `iam:PassRole` limits who can use it.
            assumed_by=iam.ServicePrincipal("cloudformation.amazonaws.com"),
            inline_policies={"release": document},
        )


def _statements(
    manifest: ContainerManifest, jobs: Sequence[DeclaredJob], names: Names
) -> Iterator[iam.PolicyStatement]:
    called = _called(manifest, names)
    function = f"{names.arn('lambda')}:function:{called}"
    yield _allow(_FUNCTION, [function, f"{function}:*"])
    yield _allow(_QUALIFIED, [f"{function}:*"])
    yield _pass([names.role_arn(called)], to="lambda.amazonaws.com")
    yield _pass([names.role_arn(names.deployer())], to="codedeploy.amazonaws.com")
    yield _allow(_IMAGE, [f"{names.arn('ecr')}:repository/{names.repository(manifest.name)}"])
    yield from _canaries(names.function(manifest.name), called, names)
    record = names.release_record(manifest.name)
    yield _allow(_RECORD, [f"{names.arn('ssm')}:parameter{record}"])
    yield _allow(["cloudwatch:DescribeAlarms"], [f"{names.arn('cloudwatch')}:alarm:*"])
    if jobs:
        yield from _jobs(called, names)


def _called(manifest: ContainerManifest, names: Names) -> str:
    """Return the name of the container's functions and roles, `*` for each model's.

    One by one, their ARNs would exceed the size that IAM allows a role's policies.
    """
    return names.function(manifest.name, "*" if manifest.function_per_model else None)


def _canaries(application: str, group: str, names: Names) -> Iterator[iam.PolicyStatement]:
    arn = names.arn("codedeploy")
    yield _allow(_APPLICATION, [f"{arn}:application:{application}"])
    yield _allow(_GROUP, [f"{arn}:deploymentgroup:{application}/{group}"])
    yield _allow(["codedeploy:GetDeploymentConfig"], [f"{arn}:deploymentconfig:*"])
    # This action has no resource type: any narrower resource would stop CodeDeploy's rollback.
    yield _allow(["codedeploy:StopDeployment"], ["*"])


def _jobs(called: str, names: Names) -> Iterator[iam.PolicyStatement]:
    """Allow new revisions of job definitions, and the end of old ones."""
    definitions = f"{names.arn('batch')}:job-definition/{called}"
    yield _allow(_JOB, [definitions])
    # This action has no resource type.
    yield _allow(["batch:DescribeJobDefinitions"], ["*"])
    roles = [names.role_arn(called), names.role_arn(names.job_execution_role())]
    yield _pass(roles, to="ecs-tasks.amazonaws.com")


def _pass(roles: Sequence[str], *, to: str) -> iam.PolicyStatement:
    return _allow(["iam:PassRole"], roles, {"StringEquals": {"iam:PassedToService": to}})


def _allow(
    actions: Sequence[str], resources: Sequence[str], conditions: dict[str, Any] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=list(actions), resources=list(resources), conditions=conditions
    )
