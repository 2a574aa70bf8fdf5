"""The CodeBuild project for checks runs every branch with minimal rights."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms

from infra.app import ROOT
from infra.checks_project import ChecksProject
from infra.settings import Settings
from pipeline.declared.names import Names
from tests.infra.cloudformation import ACCOUNT, REGION, Deployed, Resource, deploy
from tests.infra.conftest import Templates
from tests.infra.policies import listed, statements_of

NAMES: Final = Names("matteline-dev", account=ACCOUNT, region=REGION)


@pytest.fixture
def stack(templates: Templates) -> Deployed:
    return deploy(templates["matteline-dev-releases"])


@pytest.fixture
def project(stack: Deployed) -> Resource:
    return stack.one("CodeBuild::Project", Name=NAMES.checks_project())


def test_the_project_runs_the_checks_buildspec_without_privileges(project: Resource) -> None:
    assert project.properties["Source"]["BuildSpec"] == "buildspec/checks.yml"
    assert (ROOT / "buildspec" / "checks.yml").is_file()
    assert project.properties["Environment"]["PrivilegedMode"] is False


def test_the_project_cannot_push_sign_or_store(stack: Deployed, project: Resource) -> None:
    (role,) = [
        each
        for each in stack.of("IAM::Role")
        if project.properties["ServiceRole"] == f"<{each.id}.Arn>"
    ]
    actions = {action for each in statements_of(role) for action in listed(each["Action"])}

    assert {each.partition(":")[0] for each in actions} == {
        "codebuild", "kms", "logs", "s3", "states",
    }  # fmt: skip
    assert {each for each in actions if each.startswith("states:")} == {
        "states:TestState", "states:ValidateStateMachineDefinition",
    }  # fmt: skip
    assert not actions & {"s3:PutObject", "kms:Sign", "kms:GenerateDataKey"}


def test_with_a_connection_the_project_builds_pushed_branches_only() -> None:
    app = cdk.App(analytics_reporting=False)
    alone = cdk.Stack(app, "Alone")
    connection = f"arn:aws:codeconnections:{REGION}:{ACCOUNT}:connection/0"
    settings = Settings(
        stage="dev",
        source_connection=connection,
        source_repository="ada/matteline",
    )
    ChecksProject(alone, names=NAMES, settings=settings, data_key=kms.Key(alone, "Key"))
    made = deploy(app.synth().get_stack_by_name("Alone").template)

    triggers = made.one("CodeBuild::Project").properties["Triggers"]
    assert triggers["Webhook"] is True
    assert triggers["FilterGroups"] == [
        [
            {"Type": "EVENT", "Pattern": "PUSH"},
            {"Type": "HEAD_REF", "Pattern": "refs/heads/.*"},
        ]
    ]
