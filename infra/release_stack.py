"""Define the stack that builds, checks and releases containers."""

from __future__ import annotations

import tempfile
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.alarms import Alarms
from infra.build_project import BuildProject
from infra.canary import alarm_names
from infra.checks_project import ChecksProject
from infra.deploy_role import DeployRole
from infra.image_care import ImageCare
from infra.operation import Operation
from infra.operation_grants import Grants
from infra.private_bucket import removal_policy
from infra.release_news import ReleaseNews
from infra.resource_alarms import add_operation_alarm
from infra.settings import Settings
from pipeline.declared.blueprint import Blueprint, DeclaredFunction
from pipeline.declared.containers import ContainerManifest
from pipeline.declared.declaration import pascal_case
from pipeline.declared.names import Names
from pipeline.releases.function_code import lay_out

_SOURCE = Path(__file__).parents[1]


class ReleaseStack(cdk.Stack):
    """Builds, release functions and deploy roles. It refers to stacks and functions by name."""

    def __init__(
        self,
        scope: Construct,
        stack_id: str,
        *,
        blueprint: Blueprint,
        names: Names,
        settings: Settings,
        data_key: kms.IKey,
    ) -> None:
        super().__init__(scope, stack_id, description="Matteline: builds and releases")
        signing_key = _signing_key(self, names)
        if settings.source_connection:
            codebuild.CfnSourceCredential(
                self,
                "Connection",
                auth_type="CODECONNECTIONS",
                server_type="GITHUB",
                token=settings.source_connection,
            )
        projects = [
            BuildProject(
                self,
                manifest,
                names=names,
                settings=settings,
                data_key=data_key,
                signing_key=signing_key,
            ).project
            for manifest in blueprint.containers
        ]
        ChecksProject(self, names=names, settings=settings, data_key=data_key)
        grants = Grants(
            blueprint, names, data_key=data_key.key_arn, signing_key=signing_key.key_arn
        )
        operations = _operations(self, blueprint, names, grants)
        for manifest in blueprint.containers:
            functions = [each for each in blueprint.functions if each.manifest == manifest]
            jobs = [each for each in blueprint.jobs if each.manifest == manifest]
            DeployRole(self, manifest, jobs=jobs, names=names)
            _release_alarm(self, manifest, functions, names)
        ReleaseNews(self, names=names, email=settings.alarm_email)
        alarms = Alarms(self, names)
        add_operation_alarm(alarms, blueprint, names)
        ImageCare(
            self,
            watch=operations["image-watch"],
            projects=projects,
            names=names,
            alarms=alarms,
        )


def _signing_key(scope: Construct, names: Names) -> kms.Key:
    """Create the key that builds sign provenance with; the gate may only verify."""
    key = kms.Key(
        scope,
        "ProvenanceKey",
        description="Signs the provenance of container images",
        key_spec=kms.KeySpec.ECC_NIST_P384,
        key_usage=kms.KeyUsage.SIGN_VERIFY,
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    alias = key.add_alias(names.provenance_key)
    alias.apply_removal_policy(removal_policy(retained=True))
    return key


def _operations(
    scope: Construct, blueprint: Blueprint, names: Names, grants: Grants
) -> dict[str, lambda_.IFunction]:
    """Create the zipped functions from one zip. CDK copies the folder before it is deleted."""
    with tempfile.TemporaryDirectory(prefix="operations-") as folder:
        code = lambda_.Code.from_asset(str(lay_out(_SOURCE, blueprint.root, Path(folder))))
        return {
            each.name: Operation(
                scope, each, code=code, allowed=grants.of(each.name), names=names
            ).function
            for each in blueprint.operations(names)
        }


def _release_alarm(
    scope: Construct,
    manifest: ContainerManifest,
    functions: list[DeclaredFunction],
    names: Names,
) -> None:
    """Combine the alarms of a container's functions: CloudFormation allows five at most."""
    watched = [alarm for each in functions for alarm in alarm_names(each.name(names))]
    cloudwatch.CfnCompositeAlarm(
        scope,
        f"{pascal_case(manifest.name)}ReleaseAlarm",
        alarm_name=names.release_alarm(manifest.name),
        alarm_description=f"Rolls back a running release of {manifest.name}.",
        alarm_rule=" OR ".join(f'ALARM("{name}")' for name in watched),
    )
