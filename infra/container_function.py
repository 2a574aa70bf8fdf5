"""Define one container function: image, version, alias `live` and canary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.canary import Canary
from infra.release import Release
from pipeline.declared.blueprint import DeclaredFunction
from pipeline.declared.names import Names

_ARCHITECTURES: Final = {
    "x86_64": lambda_.Architecture.X86_64,
    "arm64": lambda_.Architecture.ARM_64,
}


class ContainerFunction(Construct):
    """A function for a container or one of its models; its role and log group exist already."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        declared: DeclaredFunction,
        names: Names,
        release: Release,
        environment: Mapping[str, str],
        application: codedeploy.ILambdaApplication,
        deployer: iam.IRole,
        snap_start: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self._names = names
        name = declared.name(names)
        function = self._function(declared, release, environment, snap_start=snap_start)
        self.alias = lambda_.Alias(
            self, "Alias", alias_name="live", version=function.current_version
        )
        release.makes(function, function.current_version, self.alias)
        Canary(
            self,
            "Canary",
            function_name=name,
            names=names,
            timeout_s=declared.manifest.timeout_s,
            alias=self.alias,
            application=application,
            role=deployer,
            release=release,
            smoke_hook=names.operation("smoke-hook", hook=True),
        )

    def _function(
        self,
        declared: DeclaredFunction,
        release: Release,
        environment: Mapping[str, str],
        *,
        snap_start: bool,
    ) -> lambda_.DockerImageFunction:
        name, manifest, names = declared.name(self._names), declared.manifest, self._names
        function = lambda_.DockerImageFunction(
            self,
            "Function",
            function_name=name,
            description=manifest.summary,
            code=lambda_.DockerImageCode.from_ecr(
                ecr.Repository.from_repository_name(
                    self, "Repository", names.repository(manifest.name)
                ),
                tag_or_digest=release.digest,
            ),
            architecture=_ARCHITECTURES[manifest.architecture],
            memory_size=declared.memory_mb,
            timeout=cdk.Duration.seconds(manifest.timeout_s),
            ephemeral_storage_size=cdk.Size.mebibytes(manifest.storage_mb),
            environment=dict(environment),
            role=iam.Role.from_role_arn(self, "Role", names.role_arn(name), mutable=False),
            log_group=logs.LogGroup.from_log_group_name(self, "Logs", names.log_group(name)),
            tracing=lambda_.Tracing.ACTIVE,
            # awslambdaric waits to be restored, so the image needs no label that allows snapshots.
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
            current_version_options=lambda_.VersionOptions(
                # Lambda cannot change a version's description, so each image gets a new version.
                description=f"{release.digest} v{release.version}",
                removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
            ),
        )
        if snap_start:
            cdk.Annotations.of(function).acknowledge_warning(
                "@aws-cdk/aws-lambda:snapStartRequirePublish", "A release publishes a version."
            )
        return function
