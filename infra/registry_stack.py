"""Define the image registry: one repository per container; ECR scans and signs on push."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import aws_cdk as cdk
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_signer as signer
from constructs import Construct

from pipeline.declared.containers import ContainerManifest
from pipeline.declared.declaration import pascal_case
from pipeline.declared.names import PROJECT, Names

Scanning = Literal["basic", "enhanced"]

_KEPT_VERSIONS: Final = (
    30  # with a GPU image each, where there is one; by count, not age: a live image must not expire
)
_UNTAGGED_DAYS: Final = 14
_SCANS: Final[dict[Scanning, tuple[str, str]]] = {
    "basic": ("BASIC", "SCAN_ON_PUSH"),
    "enhanced": ("ENHANCED", "CONTINUOUS_SCAN"),
}
_EVERY_REPOSITORY: Final = f"{PROJECT}/*"


class RegistryStack(cdk.Stack):
    """The registry of an account and region, shared by all stages, as scanning and signing are."""

    def __init__(
        self,
        scope: Construct,
        stack_id: str,
        *,
        containers: Iterable[ContainerManifest],
        names: Names,
        scanning: Scanning,
    ) -> None:
        super().__init__(scope, stack_id, description="Matteline: container images")
        for container in containers:
            _repository(self, container, names)
        scan_type, frequency = _SCANS[scanning]
        ecr.CfnRegistryScanningConfiguration(
            self,
            "Scanning",
            scan_type=scan_type,
            rules=[
                ecr.CfnRegistryScanningConfiguration.ScanningRuleProperty(
                    scan_frequency=frequency,
                    repository_filters=[
                        ecr.CfnRegistryScanningConfiguration.RepositoryFilterProperty(
                            filter=_EVERY_REPOSITORY, filter_type="WILDCARD"
                        )
                    ],
                )
            ],
        )
        _sign_pushed_images(self)


def _repository(scope: Construct, container: ContainerManifest, names: Names) -> None:
    """Create a repository with immutable version tags, from which Lambda may pull."""
    repository = ecr.Repository(
        scope,
        f"{pascal_case(container.name)}Repository",
        repository_name=names.repository(container.name),
        image_tag_mutability=ecr.TagMutability.IMMUTABLE,
        encryption=ecr.RepositoryEncryption.KMS,
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        lifecycle_rules=[
            ecr.LifecycleRule(
                rule_priority=1,
                tag_status=ecr.TagStatus.UNTAGGED,
                max_image_age=cdk.Duration.days(_UNTAGGED_DAYS),
            ),
            ecr.LifecycleRule(
                rule_priority=2,
                tag_pattern_list=["*.*.*"],
                max_image_count=_KEPT_VERSIONS * (2 if container.has_gpu_image else 1),
            ),
        ],
    )
    repository.add_to_resource_policy(
        iam.PolicyStatement(
            sid="LambdaPulls",
            principals=[iam.ServicePrincipal("lambda.amazonaws.com")],
            actions=["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            conditions={
                "ArnLike": {"aws:SourceArn": f"{names.arn('lambda')}:function:{PROJECT}-*"}
            },
        )
    )


def _sign_pushed_images(scope: Construct) -> None:
    """Have ECR sign each pushed image with the pusher's permissions: builds need no tool for it."""
    profile = signer.CfnSigningProfile(
        scope, "SigningProfile", platform_id="Notation-OCI-SHA384-ECDSA"
    )
    ecr.CfnSigningConfiguration(
        scope,
        "Signing",
        rules=[
            ecr.CfnSigningConfiguration.RuleProperty(
                signing_profile_arn=profile.attr_arn,
                repository_filters=[
                    ecr.CfnSigningConfiguration.RepositoryFilterProperty(
                        filter=_EVERY_REPOSITORY, filter_type="WILDCARD_MATCH"
                    )
                ],
            )
        ],
    )
