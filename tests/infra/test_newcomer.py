"""A product that is added as files has its stacks, rights, alarms and rule; infra/ is unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra.cloudformation import Deployed, deploy
from tests.infra.conftest import Templates, read_templates, synthesised
from tests.newcomer.growth import CONTAINER, MACHINE, MODELS, grow

RELEASED = {"ImageDigestHex": "ab" * 32, "ReleaseVersion": "0.1.0"}
NAMES = [f"matteline-dev-{CONTAINER}-{model}" for model in MODELS]


@pytest.fixture(scope="module")
def memo(declarations: Path, tmp_path_factory: pytest.TempPathFactory) -> Templates:
    grow(declarations)
    return read_templates(synthesised(declarations, tmp_path_factory.mktemp("memo")))


def names_of(stack: Deployed, kind: str, name: str) -> set[str]:
    return {str(each.properties[name]) for each in stack.of(kind) if name in each.properties}


def test_each_row_is_a_function_of_its_containers_stack(memo: Templates) -> None:
    stack = deploy(memo[f"matteline-dev-functions-{CONTAINER}"], **RELEASED)
    sizes = {each.properties["FunctionName"]: each.properties["MemorySize"]
             for each in stack.of("Lambda::Function")}  # fmt: skip

    assert sizes == dict(zip(NAMES, (256, 512), strict=True))


def test_each_function_has_a_role_and_a_log_group(memo: Templates) -> None:
    stack = deploy(memo["matteline-dev-access"])

    assert set(NAMES) <= names_of(stack, "IAM::Role", "RoleName")
    assert {f"/aws/lambda/{name}" for name in NAMES} <= names_of(
        stack, "Logs::LogGroup", "LogGroupName"
    )


def test_its_machine_is_started_by_its_own_uploads(memo: Templates) -> None:
    stack = deploy(memo["matteline-dev-pipeline"])
    rule = stack.one("Events::Rule", Name=f"matteline-dev-{MACHINE}")

    assert f"matteline-dev-{MACHINE}" in names_of(
        stack, "StepFunctions::StateMachine", "StateMachineName"
    )
    keys = rule.properties["EventPattern"]["detail"]["object"]["key"]
    assert {"suffix": ".memo"} in keys
    cutout = stack.one("Events::Rule", Name="matteline-dev-cutout")
    (rest,) = cutout.properties["EventPattern"]["detail"]["object"]["key"]
    assert ".memo" in rest["anything-but"]["suffix"]


def test_its_bad_ends_start_the_recorder(memo: Templates) -> None:
    stack = deploy(memo["matteline-dev-pipeline"])
    recorder = stack.one("Events::Rule", Name="matteline-dev-record-failure")

    machines = str(recorder.properties["EventPattern"]["detail"]["stateMachineArn"])
    assert f"matteline-dev-{MACHINE}" in machines
    assert "matteline-dev-cutout" in machines


def test_it_has_the_alarms_and_the_dashboard_of_a_product(
    memo: Templates, templates: Templates
) -> None:
    name = "matteline-dev-observability"
    before, after = (
        names_of(deploy(each[name]), "CloudWatch::Alarm", "AlarmName") for each in (templates, memo)
    )
    of_cutout = {alarm for alarm in before if "cutout" in alarm}

    assert {alarm.replace("cutout", MACHINE) for alarm in of_cutout} <= after - before
    dashboards = str([each.properties for each in deploy(memo[name]).of("CloudWatch::Dashboard")])
    assert f"matteline-dev-{MACHINE}" in dashboards
