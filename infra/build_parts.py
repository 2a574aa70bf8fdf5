"""Build the parts that all CodeBuild projects share: source, log, test reports, minimal role."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.settings import Settings
from pipeline.declared.names import Names

SOURCE_KEY: Final = "source/matteline.zip"
_REPORTS: Final = (
    "codebuild:BatchPutCodeCoverages",
    "codebuild:BatchPutTestCases",
    "codebuild:CreateReport",
    "codebuild:CreateReportGroup",
    "codebuild:UpdateReport",
)
_CONNECTION: Final = ("GetConnection", "GetConnectionToken", "UseConnection")


def source_of(
    scope: Construct, names: Names, settings: Settings, listens_to: codebuild.FilterGroup
) -> codebuild.ISource:
    """Return GitHub with a webhook, or, without a connection, the zip at `SOURCE_KEY`."""
    if settings.source_repository is None:
        bucket = s3.Bucket.from_bucket_name(scope, "Source", names.bucket("evidence"))
        return codebuild.Source.s3(bucket=bucket, path=SOURCE_KEY)
    owner, _, repository = settings.source_repository.partition("/")
    return codebuild.Source.git_hub(
        owner=owner, repo=repository, webhook=True, webhook_filters=[listens_to]
    )


def logging_of(scope: Construct, project: str, names: Names) -> codebuild.LoggingOptions:
    log = logs.LogGroup(
        scope,
        "Log",
        log_group_name=names.build_log_group(project),
        retention=logs.RetentionDays.ONE_YEAR,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    return codebuild.LoggingOptions(cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=log))


def own_statements(project: str, names: Names) -> Iterator[iam.PolicyStatement]:
    """Allow a project to write its log and its test reports."""
    log = f"{names.arn('logs')}:log-group:{names.build_log_group(project)}:*"
    yield allow(["logs:CreateLogStream", "logs:PutLogEvents"], [log])
    yield allow(_REPORTS, [f"{names.arn('codebuild')}:report-group/{project}-*"])


def source_statements(names: Names, settings: Settings) -> Iterator[iam.PolicyStatement]:
    if settings.source_connection:
        actions = [f"codeconnections:{action}" for action in _CONNECTION]
        yield allow(actions, [settings.source_connection])
        return
    bucket = names.bucket_arn("evidence")
    yield allow(["s3:GetObject", "s3:GetObjectVersion"], [f"{bucket}/{SOURCE_KEY}"])


def exact_role(scope: Construct, statements: Sequence[iam.PolicyStatement]) -> iam.IRole:
    """Create a role with exactly `statements`: CDK may not add its default ones."""
    role = iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"),
        inline_policies={"build": iam.PolicyDocument(statements=list(statements))},
    )
    return role.without_policy_updates()


def allow(actions: Sequence[str], resources: Sequence[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))
