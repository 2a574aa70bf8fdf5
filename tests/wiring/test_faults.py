"""Everything a deployed stage names is there, and the check notices when it is not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.declared.blueprint import Blueprint
from tests.conftest import ROOT
from tests.pictures import png, square
from tests.wiring.assembly import Template
from tests.wiring.deployment import deploy, release
from tests.wiring.differences import INERT
from tests.wiring.faults import faults
from tests.wiring.ministack import MiniStack
from tests.wiring.stage import Stage

pytestmark = pytest.mark.wiring
Stacks = dict[str, Template]


@pytest.fixture(scope="module")
def models() -> list[str]:
    blueprint = Blueprint.read(ROOT, defaults=("starter",))
    return [function.model for function in blueprint.functions if function.model]


def of_type(stacks: Stacks, stack: str, kind: str, name: str) -> dict[str, Any]:
    """The properties of the one resource of a type whose logical id begins with `name`."""
    (found,) = [
        resource["Properties"]
        for logical_id, resource in stacks[f"matteline-dev-{stack}"]["Resources"].items()
        if resource["Type"] == kind and logical_id.startswith(name)
    ]
    properties: dict[str, Any] = found
    return properties


def aim_the_rule_elsewhere(stacks: Stacks) -> None:
    rule = of_type(stacks, "pipeline", "AWS::Events::Rule", "cutout")
    rule["Targets"][0]["Arn"] = "arn:aws:states:us-east-1:1:stateMachine:matteline-dev-cutout:old"


def forget_a_substitution(stacks: Stacks) -> None:
    machine = of_type(stacks, "pipeline", "AWS::StepFunctions::StateMachine", "cutout")
    del machine["DefinitionSubstitutions"]["JobsTable"]


def call_a_function_otherwise(stacks: Stacks) -> None:
    function = of_type(stacks, "functions-edge-refiner", "AWS::Lambda::Function", "EdgeRefiner")
    function["FunctionName"] = "matteline-dev-refiner"


def forget_a_right(stacks: Stacks) -> None:
    policy = of_type(stacks, "pipeline", "AWS::IAM::Policy", "cutoutRole")
    statements = policy["PolicyDocument"]["Statement"]
    statements[:] = [each for each in statements if "dynamodb:GetItem" not in str(each["Action"])]


def test_whatever_a_state_or_a_rule_names_is_there(stage: Stage, models: list[str]) -> None:
    assert faults(stage.cloud, models) == []


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        (aim_the_rule_elsewhere, "rule matteline-dev-cutout aims at"),
        (forget_a_substitution, "nothing was put in the place of ${JobsTable}"),
        (call_a_function_otherwise, "there is no FunctionName arn:aws:lambda:us-east-1"),
        (forget_a_right, "has no right to dynamodb:GetItem"),
    ],
)
def test_a_template_that_is_wired_wrongly_is_noticed(
    stacks: Stacks,
    elsewhere: MiniStack,
    models: list[str],
    mistake: Callable[[Stacks], None],
    told: str,
) -> None:
    wrong = copy.deepcopy(stacks)
    mistake(wrong)

    deploy(wrong, elsewhere)
    release(wrong, elsewhere)

    assert told in "\n".join(faults(elsewhere, models))


def test_a_function_that_lost_its_rights_is_refused(stacks: Stacks, elsewhere: MiniStack) -> None:
    wrong = copy.deepcopy(stacks)
    of_type(wrong, "access", "AWS::IAM::Role", "MediaInspector")["Policies"] = []

    execution = Stage.deployed(wrong, elsewhere).drop(png(square()), "cat.png")

    assert (execution.status, execution.error) == ("FAILED", "AccessDenied")


def test_a_resource_that_ministack_does_not_know_is_not_passed_over(
    elsewhere: MiniStack,
) -> None:
    unknown = {"Resources": {"Novelty": {"Type": "AWS::Matteline::Novelty", "Properties": {}}}}

    with pytest.raises(ClientError, match="AWS::Matteline::Novelty"):
        deploy({"novelty": unknown}, elsewhere)


def test_nothing_is_excused_that_no_template_holds(stacks: Stacks) -> None:
    held = {each["Type"] for stack in stacks.values() for each in stack["Resources"].values()}

    assert INERT.keys() - held == set()
