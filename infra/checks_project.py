"""Define the CodeBuild project that lints, type-checks and tests every change."""

from __future__ import annotations

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
from pipeline.declared.names import Names

BUILDSPEC: Final = "buildspec/checks.yml"
_MINUTES: Final = 60
# They create nothing. Without a role to pass, a state is tried with a made-up answer only.
_STATE_CHECKS: Final = ("states:TestState", "states:ValidateStateMachineDefinition")


class ChecksProject(Construct):
    """The CodeBuild project for checks. Its role reads sources and writes a log and test reports.

    It builds pushed branches only, since only people with write access can push. A fork's pull
    request is untrusted code: review it, then push it to a branch.
    """

    def __init__(
        self, scope: Construct, *, names: Names, settings: Settings, data_key: kms.IKey
    ) -> None:
        super().__init__(scope, "Checks")
        name = names.checks_project()
        branches = codebuild.FilterGroup.in_event_of(codebuild.EventAction.PUSH)
        codebuild.Project(
            self,
            "Project",
            project_name=name,
            description="Lint, types and tests of a change",
            source=source_of(self, names, settings, branches.and_branch_is(".*")),
            build_spec=codebuild.BuildSpec.from_source_filename(BUILDSPEC),
            environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxBuildImage.AMAZON_LINUX_2023_5,
                compute_type=codebuild.ComputeType.MEDIUM,
            ),
            environment_variables={"STAGE": codebuild.BuildEnvironmentVariable(value=names.stage)},
            timeout=cdk.Duration.minutes(_MINUTES),
            encryption_key=data_key,
            grant_report_group_permissions=False,
            logging=logging_of(self, name, names),
            role=exact_role(
                self,
                [
                    *own_statements(name, names),
                    *source_statements(names, settings),
                    _sources_key(data_key),
                    allow(_STATE_CHECKS, ["*"]),
                ],
            ),
        )


def _sources_key(data_key: kms.IKey) -> iam.PolicyStatement:
    return allow(["kms:Decrypt"], [data_key.key_arn])
