"""Define the role CloudFormation assumes to release one container and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from aws_cdk import aws_iam as iam
from constructs import Construct

from pipeline.declared.blueprint import DeclaredFunction, DeclaredJob
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
_JOB: Final = ("batch:RegisterJobDefinition", "batch:DeregisterJobDefinition")
_JOB_TAGS: Final = ("batch:TagResource", "batch:UntagResource")
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
        functions: Sequence[DeclaredFunction],
        jobs: Sequence[DeclaredJob],
        names: Names,
    ) -> None:
        super().__init__(scope, f"{pascal_case(manifest.name)}DeployRole")
        statements = [*_statements(manifest, functions, names), *_jobs(jobs, names)]
        document = iam.PolicyDocument(statements=statements)
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
    manifest: ContainerManifest, functions: Sequence[DeclaredFunction], names: Names
) -> Iterator[iam.PolicyStatement]:
    called = [each.name(names) for each in functions]
    arns = [names.function_arn(manifest.name, each.model) for each in functions]
    yield _allow(_FUNCTION, [arn for each in arns for arn in (each, f"{each}:*")])
    yield _allow(_QUALIFIED, [f"{arn}:*" for arn in arns])
    yield _pass([names.role_arn(name) for name in called], to="lambda.amazonaws.com")
    yield _pass([names.role_arn(names.deployer())], to="codedeploy.amazonaws.com")
    yield _allow(_IMAGE, [f"{names.arn('ecr')}:repository/{names.repository(manifest.name)}"])
    yield from _canaries(names.function(manifest.name), called, names)
    record = names.release_record(manifest.name)
    yield _allow(_RECORD, [f"{names.arn('ssm')}:parameter{record}"])
    yield _allow(["cloudwatch:DescribeAlarms"], [f"{names.arn('cloudwatch')}:alarm:*"])


def _canaries(
    application: str, groups: Sequence[str], names: Names
) -> Iterator[iam.PolicyStatement]:
    arn = names.arn("codedeploy")
    yield _allow(_APPLICATION, [f"{arn}:application:{application}"])
    yield _allow(_GROUP, [f"{arn}:deploymentgroup:{application}/{group}" for group in groups])
    yield _allow(["codedeploy:GetDeploymentConfig"], [f"{arn}:deploymentconfig:*"])
    # This action has no resource type: any narrower resource would stop CodeDeploy's rollback.
    yield _allow(["codedeploy:StopDeployment"], ["*"])


def _jobs(jobs: Sequence[DeclaredJob], names: Names) -> Iterator[iam.PolicyStatement]:
    """Allow new revisions of job definitions, and the end of old ones."""
    if not jobs:
        return
    called = [job.name(names) for job in jobs]
    definitions = [f"{names.arn('batch')}:job-definition/{name}" for name in called]
    yield _allow(_JOB, [arn for each in definitions for arn in (each, f"{each}:*")])
    yield _allow(_JOB_TAGS, [f"{each}:*" for each in definitions])
    # This action has no resource type.
    yield _allow(["batch:DescribeJobDefinitions"], ["*"])
    roles = [*called, names.job_execution_role()]
    yield _pass([names.role_arn(name) for name in roles], to="ecs-tasks.amazonaws.com")


def _pass(roles: Sequence[str], *, to: str) -> iam.PolicyStatement:
    return _allow(["iam:PassRole"], roles, {"StringEquals": {"iam:PassedToService": to}})


def _allow(
    actions: Sequence[str], resources: Sequence[str], conditions: dict[str, Any] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=list(actions), resources=list(resources), conditions=conditions
    )
