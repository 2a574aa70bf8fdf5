"""How a container's image is built: one CodeBuild project each, one buildspec for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.settings import Settings
from pipeline.manifest import ContainerManifest, pascal_case
from pipeline.names import Names

BUILDSPEC: Final = "buildspec/container.yml"
SOURCE_KEY: Final = "source/matteline.zip"
_MINUTES: Final = 45
_PUSH: Final = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeImages",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
_REPORTS: Final = (
    "codebuild:BatchPutCodeCoverages",
    "codebuild:BatchPutTestCases",
    "codebuild:CreateReport",
    "codebuild:CreateReportGroup",
    "codebuild:UpdateReport",
)
_CONNECTION: Final = ("GetConnection", "GetConnectionToken", "UseConnection")


class BuildProject(Construct):
    """Its role may push to one repository, sign, and leave evidence of one container."""

    def __init__(
        self,
        scope: Construct,
        manifest: ContainerManifest,
        *,
        names: Names,
        settings: Settings,
        data_key: kms.IKey,
        signing_key: kms.IKey,
    ) -> None:
        super().__init__(scope, f"{pascal_case(manifest.name)}Build")
        name = names.build_project(manifest.name)
        self.project = codebuild.Project(
            self,
            "Project",
            project_name=name,
            description=f"Image of {manifest.name}: {manifest.summary}",
            source=_source(self, manifest, names, settings),
            build_spec=codebuild.BuildSpec.from_source_filename(BUILDSPEC),
            environment=_machine(manifest),
            environment_variables=_variables(manifest, names),
            concurrent_build_limit=1,
            timeout=cdk.Duration.minutes(_MINUTES),
            encryption_key=data_key,
            grant_report_group_permissions=False,
            logging=_logging(self, name),
            role=_role(
                self,
                [
                    *_registry(manifest, names),
                    *_evidence(manifest, names, data_key, signing_key),
                    *_own(name, names),
                    *_source_statements(names, settings),
                ],
            ),
        )


def _source(
    scope: Construct, manifest: ContainerManifest, names: Names, settings: Settings
) -> codebuild.ISource:
    """A tag such as `edge-refiner/v1.3.0`; without a connection, a zip that somebody put there."""
    if settings.source_repository is None:
        bucket = s3.Bucket.from_bucket_name(scope, "Source", names.bucket("evidence"))
        return codebuild.Source.s3(bucket=bucket, path=SOURCE_KEY)
    owner, _, repository = settings.source_repository.partition("/")
    tag = rf"{manifest.name}/v[0-9]+\.[0-9]+\.[0-9]+"
    return codebuild.Source.git_hub(
        owner=owner,
        repo=repository,
        webhook=True,
        webhook_filters=[
            codebuild.FilterGroup.in_event_of(codebuild.EventAction.PUSH).and_tag_is(tag)
        ],
    )


def _machine(manifest: ContainerManifest) -> codebuild.BuildEnvironment:
    """Of the processor that the image is for; docker needs privileges."""
    image: codebuild.IBuildImage = (
        codebuild.LinuxArmBuildImage.AMAZON_LINUX_2023_STANDARD_3_0
        if manifest.architecture == "arm64"
        else codebuild.LinuxBuildImage.AMAZON_LINUX_2023_5
    )
    return codebuild.BuildEnvironment(
        build_image=image, compute_type=codebuild.ComputeType.MEDIUM, privileged=True
    )


def _variables(
    manifest: ContainerManifest, names: Names
) -> Mapping[str, codebuild.BuildEnvironmentVariable]:
    registry = f"{names.account}.dkr.ecr.{names.region}.{cdk.Aws.URL_SUFFIX}"
    values = {
        "CONTAINER": manifest.name,
        "REPOSITORY": f"{registry}/{names.repository(manifest.name)}",
        "EVIDENCE_BUCKET": names.bucket("evidence"),
        "PROVENANCE_KEY": names.provenance_key,
    }
    return {name: codebuild.BuildEnvironmentVariable(value=value) for name, value in values.items()}


def _logging(scope: Construct, project: str) -> codebuild.LoggingOptions:
    log = logs.LogGroup(
        scope,
        "Log",
        log_group_name=_log_group(project),
        retention=logs.RetentionDays.ONE_YEAR,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    return codebuild.LoggingOptions(cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=log))


def _log_group(project: str) -> str:
    return f"/aws/codebuild/{project}"


def _registry(manifest: ContainerManifest, names: Names) -> Iterator[iam.PolicyStatement]:
    repository = f"{names.arn('ecr')}:repository/{names.repository(manifest.name)}"
    yield _allow(_PUSH, [repository])
    yield _allow(["ecr:GetAuthorizationToken"], ["*"])
    # ECR signs what is pushed in the name of whoever pushes.
    yield _allow(["signer:SignPayload"], [f"{names.arn('signer')}:/signing-profiles/*"])


def _evidence(
    manifest: ContainerManifest, names: Names, data_key: kms.IKey, signing_key: kms.IKey
) -> Iterator[iam.PolicyStatement]:
    bucket = names.bucket_arn("evidence")
    yield _allow(["s3:PutObject"], [f"{bucket}/releases/{manifest.name}/*"])
    yield _allow(["s3:ListBucket"], [bucket])
    yield _allow(["kms:Sign", "kms:GetPublicKey"], [signing_key.key_arn])
    yield _allow(["kms:Decrypt", "kms:GenerateDataKey"], [data_key.key_arn])


def _own(project: str, names: Names) -> Iterator[iam.PolicyStatement]:
    """Its log, and its test reports."""
    log = f"{names.arn('logs')}:log-group:{_log_group(project)}:*"
    yield _allow(["logs:CreateLogStream", "logs:PutLogEvents"], [log])
    yield _allow(_REPORTS, [f"{names.arn('codebuild')}:report-group/{project}-*"])


def _source_statements(names: Names, settings: Settings) -> Iterator[iam.PolicyStatement]:
    if settings.source_connection:
        actions = [f"codeconnections:{action}" for action in _CONNECTION]
        yield _allow(actions, [settings.source_connection])
        return
    bucket = names.bucket_arn("evidence")
    yield _allow(["s3:GetObject", "s3:GetObjectVersion"], [f"{bucket}/{SOURCE_KEY}"])


def _role(scope: Construct, statements: Sequence[iam.PolicyStatement]) -> iam.IRole:
    """Exactly what is listed here: CDK would add what a project usually needs."""
    role = iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"),
        inline_policies={"build": iam.PolicyDocument(statements=list(statements))},
    )
    return role.without_policy_updates()


def _allow(actions: Sequence[str], resources: Sequence[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))
