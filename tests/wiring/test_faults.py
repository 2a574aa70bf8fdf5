"""Everything a deployed stage refers to exists, and the check finds what does not."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
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
Models = Mapping[str, Sequence[str]]


@pytest.fixture(scope="module")
def models() -> Models:
    catalogue = Blueprint.read(ROOT).catalogue
    return {name: [row.name for row in catalogue.rows_of(name)] for name in catalogue.defaults}


def of_type(stacks: Stacks, stack: str, kind: str, name: str) -> dict[str, Any]:
    """Return the properties of the only resource of a type whose logical ID starts with `name`."""
    (found,) = [
        resource["Properties"]
        for logical_id, resource in stacks[f"matteline-dev-{stack}"]["Resources"].items()
        if resource["Type"] == kind and logical_id.startswith(name)
    ]
    properties: dict[str, Any] = found
    return properties


def retarget_the_rule(stacks: Stacks) -> None:
    rule = of_type(stacks, "pipeline", "AWS::Events::Rule", "cutout")
    rule["Targets"][0]["Arn"] = "arn:aws:states:us-east-1:1:stateMachine:matteline-dev-cutout:old"


def remove_a_substitution(stacks: Stacks) -> None:
    machine = of_type(stacks, "pipeline", "AWS::StepFunctions::StateMachine", "cutout")
    del machine["DefinitionSubstitutions"]["JobsTable"]


def rename_a_function(stacks: Stacks) -> None:
    function = of_type(stacks, "functions-edge-refiner", "AWS::Lambda::Function", "EdgeRefiner")
    function["FunctionName"] = "matteline-dev-refiner"


def rename_a_models_function(stacks: Stacks) -> None:
    stack = stacks["matteline-dev-functions-transcriber"]["Resources"].values()
    functions = [each["Properties"] for each in stack if each["Type"] == "AWS::Lambda::Function"]
    (small,) = [each for each in functions if each["FunctionName"].endswith("-whisper-small")]
    small["FunctionName"] = "matteline-dev-transcriber-little"


def remove_a_permission(stacks: Stacks) -> None:
    policy = of_type(stacks, "pipeline", "AWS::IAM::Policy", "cutoutRole")
    statements = policy["PolicyDocument"]["Statement"]
    statements[:] = [each for each in statements if "dynamodb:GetItem" not in str(each["Action"])]


def test_every_resource_that_a_state_or_rule_names_exists(stage: Stage, models: Models) -> None:
    assert faults(stage.cloud, models) == []


@pytest.mark.parametrize(
    ("mistake", "fault"),
    [
        (retarget_the_rule, "rule matteline-dev-cutout targets"),
        (remove_a_substitution, "placeholder ${JobsTable} is not filled"),
        (rename_a_function, "FunctionName arn:aws:lambda:us-east-1"),
        (rename_a_models_function, "-transcriber-whisper-small:live does not exist"),
        (remove_a_permission, "has no permission for dynamodb:GetItem"),
    ],
)
def test_a_wrongly_wired_template_is_found(
    stacks: Stacks,
    elsewhere: MiniStack,
    models: Models,
    mistake: Callable[[Stacks], None],
    fault: str,
) -> None:
    wrong = copy.deepcopy(stacks)
    mistake(wrong)

    deploy(wrong, elsewhere)
    release(wrong, elsewhere)

    assert fault in "\n".join(faults(elsewhere, models))


def test_a_function_without_its_permissions_is_denied(stacks: Stacks, elsewhere: MiniStack) -> None:
    wrong = copy.deepcopy(stacks)
    of_type(wrong, "access", "AWS::IAM::Role", "MediaInspector")["Policies"] = []

    execution = Stage.deployed(wrong, elsewhere).drop(png(square()), "cat.png")

    assert (execution.status, execution.error) == ("FAILED", "AccessDenied")


def test_an_unknown_resource_type_fails_the_deployment(
    elsewhere: MiniStack,
) -> None:
    unknown = {"Resources": {"Novelty": {"Type": "AWS::Matteline::Novelty", "Properties": {}}}}

    with pytest.raises(ClientError, match="AWS::Matteline::Novelty"):
        deploy({"novelty": unknown}, elsewhere)


def test_every_type_without_effect_is_in_a_template(
    stacks: Stacks, stacks_with_batch: Stacks
) -> None:
    every = [*stacks.values(), *stacks_with_batch.values()]
    held = {each["Type"] for stack in every for each in stack["Resources"].values()}

    assert INERT.keys() - held == set()
