"""Define the CodeBuild projects that build images: one per container, one buildspec for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.build_parts import (
    allow,
    exact_role,
    logging_of,
    own_statements,
    source_of,
    source_statements,
)
from infra.settings import Settings
from pipeline.declared.containers import ContainerManifest
from pipeline.declared.declaration import pascal_case
from pipeline.declared.names import Names

BUILDSPEC: Final = "buildspec/container.yml"
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


class BuildProject(Construct):
    """A container's build project. Its role may push to one repository, sign and store evidence."""

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
            source=source_of(self, names, settings, _tag(manifest)),
            build_spec=codebuild.BuildSpec.from_source_filename(BUILDSPEC),
            environment=_machine(manifest),
            environment_variables=_variables(
                manifest, names, gpu=settings.batch == "gpu" and manifest.has_gpu_image
            ),
            concurrent_build_limit=1,
            timeout=cdk.Duration.minutes(_MINUTES),
            encryption_key=data_key,
            grant_report_group_permissions=False,
            logging=logging_of(self, name, names),
            role=exact_role(
                self,
                [
                    *_registry(manifest, names),
                    *_evidence(manifest, names, data_key, signing_key),
                    *own_statements(name, names),
                    *source_statements(names, settings),
                ],
            ),
        )


def _tag(manifest: ContainerManifest) -> codebuild.FilterGroup:
    """Match pushes of a version tag, such as `edge-refiner/v1.3.0`."""
    tag = rf"{manifest.name}/v[0-9]+\.[0-9]+\.[0-9]+"
    return codebuild.FilterGroup.in_event_of(codebuild.EventAction.PUSH).and_tag_is(tag)


def _machine(manifest: ContainerManifest) -> codebuild.BuildEnvironment:
    """Build an image on its own processor architecture.

    A Docker server of the project keeps the layers of its builds, and spares the build privileged
    mode. CodeBuild has none for ARM.
    """
    if manifest.architecture == "arm64":
        return codebuild.BuildEnvironment(
            build_image=codebuild.LinuxArmBuildImage.AMAZON_LINUX_2023_STANDARD_3_0,
            compute_type=codebuild.ComputeType.MEDIUM,
            privileged=True,
        )
    return codebuild.BuildEnvironment(
        build_image=codebuild.LinuxBuildImage.AMAZON_LINUX_2023_5,
        compute_type=codebuild.ComputeType.MEDIUM,
        docker_server=codebuild.DockerServerOptions(
            compute_type=codebuild.DockerServerComputeType.MEDIUM
        ),
    )


def _variables(
    manifest: ContainerManifest, names: Names, *, gpu: bool
) -> Mapping[str, codebuild.BuildEnvironmentVariable]:
    registry = f"{names.account}.dkr.ecr.{names.region}.{cdk.Aws.URL_SUFFIX}"
    values = {
        "CONTAINER": manifest.name,
        "REPOSITORY": f"{registry}/{names.repository(manifest.name)}",
        "EVIDENCE_BUCKET": names.bucket("evidence"),
        "PROVENANCE_KEY": names.provenance_key,
        **({"GPU": "1"} if gpu else {}),
    }
    return {name: codebuild.BuildEnvironmentVariable(value=value) for name, value in values.items()}


def _registry(manifest: ContainerManifest, names: Names) -> Iterator[iam.PolicyStatement]:
    repository = f"{names.arn('ecr')}:repository/{names.repository(manifest.name)}"
    yield allow(_PUSH, [repository])
    yield allow(["ecr:GetAuthorizationToken"], ["*"])
    # ECR signs a pushed image with the pusher's permissions.
    yield allow(["signer:SignPayload"], [f"{names.arn('signer')}:/signing-profiles/*"])


def _evidence(
    manifest: ContainerManifest, names: Names, data_key: kms.IKey, signing_key: kms.IKey
) -> Iterator[iam.PolicyStatement]:
    bucket = names.bucket_arn("evidence")
    yield allow(["s3:PutObject"], [f"{bucket}/releases/{manifest.name}/*"])
    yield allow(["s3:ListBucket"], [bucket])
    yield allow(["kms:Sign", "kms:GetPublicKey"], [signing_key.key_arn])
    yield allow(["kms:Decrypt", "kms:GenerateDataKey"], [data_key.key_arn])
