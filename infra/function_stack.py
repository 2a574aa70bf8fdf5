"""Define the stack that a release updates: the functions and jobs of one container."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra.container_function import ContainerFunction
from infra.container_job import define_job
from infra.release import Release
from infra.settings import ApiSettings
from pipeline.declared.blueprint import DeclaredFunction, DeclaredJob
from pipeline.declared.containers import ContainerManifest
from pipeline.declared.declaration import pascal_case
from pipeline.declared.names import HTTP_API, Names


class FunctionStack(cdk.Stack):
    """The functions of one container, and its jobs, from the image in the stack's parameters.

    The stack refers to no other stack and creates no role: permission to update it allows a release
    and nothing more.
    """

    def __init__(
        self,
        scope: Construct,
        stack_id: str,
        *,
        manifest: ContainerManifest,
        functions: Sequence[DeclaredFunction],
        jobs: Sequence[DeclaredJob] = (),
        names: Names,
        accepted_licences: Sequence[str],
        api: ApiSettings,
        snap_start: bool = False,
    ) -> None:
        super().__init__(
            scope,
            stack_id,
            description=f"Matteline: {manifest.name}",
            # A release passes every parameter; the bootstrap version rule would add another.
            synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        release = Release(self)
        environment = _environment(manifest, release, accepted_licences, api)
        application = codedeploy.LambdaApplication(
            self, "Application", application_name=names.function(manifest.name)
        )
        deployer = iam.Role.from_role_arn(
            self, "Deployer", names.role_arn(names.deployer()), mutable=False
        )
        live = [
            ContainerFunction(
                self,
                pascal_case(declared.model or manifest.name),
                declared=declared,
                names=names,
                release=release,
                environment=environment,
                application=application,
                deployer=deployer,
                snap_start=snap_start,
            ).alias
            for declared in functions
        ]
        defined = [
            define_job(self, declared, names=names, release=release, environment=environment)
            for declared in jobs
        ]
        for job in defined:
            # A release that the canaries refuse never becomes one of jobs.
            job.node.add_dependency(*live)
        record = _record(self, names.release_record(manifest.name), release)
        record.node.add_dependency(*live, *defined)


def _environment(
    manifest: ContainerManifest,
    release: Release,
    accepted_licences: Sequence[str],
    api: ApiSettings,
) -> dict[str, str]:
    licences = " ".join(accepted_licences)
    return {
        **manifest.environment,
        "MATTELINE_IMAGE_DIGEST": release.digest,
        # Lambda publishes no new version without a change, and a digest may be released twice.
        "MATTELINE_RELEASE": release.version,
        **({"MATTELINE_ACCEPTED_LICENCES": licences} if licences else {}),
        **(_api_environment(api) if manifest.name == HTTP_API else {}),
    }


def _api_environment(api: ApiSettings) -> dict[str, str]:
    variables = {
        "MATTELINE_DOCS": api.docs or "",
        "MATTELINE_OPERATORS": " ".join(api.operators),
    }
    return {name: text for name, text in variables.items() if text}


def _record(scope: Construct, name: str, release: Release) -> ssm.StringParameter:
    """Record the image that passed its canary; CloudFormation writes it last and rolls it back."""
    record = ssm.StringParameter(
        scope,
        "Record",
        parameter_name=name,
        description="The live image and its version",
        string_value=f'{{"version": "{release.version}", "digest": "{release.digest}"}}',
    )
    release.makes(record)
    return record
