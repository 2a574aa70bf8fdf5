"""Stacks deploy in order, and no stack has unlimited rights or endless logs."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

from infra.app import make_app
from infra.settings import Settings
from tests.infra.cloudformation import deploy
from tests.infra.conftest import Templates, read_templates, synthesised
from tests.infra.policies import listed

MOST_POLICY: Final = 10_240  # characters
LONGEST_STAGE: Final = "matteline-abcdefghijkl"


def test_function_stacks_wait_for_roles_and_roles_for_storage(assembly: Path) -> None:
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    stacks = {
        name for name, each in artifacts.items() if each["type"] == "aws:cloudformation:stack"
    }
    waits_for = {name: stacks & set(artifacts[name].get("dependencies", [])) for name in stacks}

    assert waits_for["matteline-registry"] == waits_for["matteline-dev-storage"] == set()
    assert waits_for["matteline-dev-access"] == {"matteline-dev-storage"}
    assert waits_for["matteline-dev-functions-edge-refiner"] == {"matteline-dev-access"}
    assert waits_for["matteline-dev-web"] == {"matteline-dev-releases"}


@pytest.mark.parametrize("given", ["starter whisper-base", ["starter", "whisper-base"]])
def test_a_list_of_names_is_a_list_in_the_file_and_a_text_on_the_command_line(given: Any) -> None:
    context = {"matteline:stage": "dev", "matteline:default_models": given}

    settings = Settings.from_context(context.get)

    assert settings.default_models == ("starter", "whisper-base")


@pytest.mark.parametrize(
    ("former", "value", "said"),
    [
        ("default_model", "starter", "set default_models, a list, instead of default_model"),
        ("api_snap_start", "true", "set snap_start, a list, instead of api_snap_start"),
    ],
)
def test_a_setting_with_another_name_now_is_refused(former: str, value: str, said: str) -> None:
    context = {"matteline:stage": "dev", f"matteline:{former}": value}

    with pytest.raises(ValueError, match=said):
        Settings.from_context(context.get)


def test_no_statement_allows_every_action(templates: Templates) -> None:
    """Key policies are the exception: the account's root must be able to change them."""
    wide = [
        (stack, resource.id, statement["Action"])
        for stack, template in templates.items()
        for resource in deploy(template)
        for statement in statements(resource.properties)
        if statement["Effect"] == "Allow"
        and any(action == "*" or action.endswith(":*") for action in listed(statement["Action"]))
    ]

    assert {action for *_, action in wide} == {"kms:*"}


def test_no_role_has_more_policies_than_iam_allows(on_gpus: Templates) -> None:
    """IAM counts the characters of all inline policies of a role, without white space.

    A stage's name has 12 letters at most.
    """
    size: Counter[str] = Counter()
    for stack, template in on_gpus.items():
        deployed = deploy(template)
        for role in deployed.of("IAM::Role"):
            for each in role.properties.get("Policies", []):
                size[f"{stack}/{role.id}"] += written(each["PolicyDocument"])
        for policy in deployed.of("IAM::Policy"):
            for role_id in policy.properties["Roles"]:
                name = f"{stack}/{role_id.strip('<>')}"
                size[name] += written(policy.properties["PolicyDocument"])

    assert len(size) > 50
    assert {name: count for name, count in size.items() if count > MOST_POLICY} == {}


def written(document: Any) -> int:
    text = json.dumps(document).replace("matteline-dev", LONGEST_STAGE)
    return len("".join(text.split()))


def test_a_stage_has_its_own_cap_for_backfills_without_one(
    declarations: Path, tmp_path: Path
) -> None:
    usual, own = (
        Settings.from_context({"matteline:stage": "dev", **given}.get)
        for given in ({}, {"matteline:backfill_concurrency": "3"})
    )
    synthesised(declarations, tmp_path, backfill_concurrency="3")

    template = json.loads((tmp_path / "matteline-dev-pipeline.template.json").read_text())
    caps = {
        each["Properties"].get("DefinitionSubstitutions", {}).get("BackfillConcurrency")
        for each in template["Resources"].values()
        if each["Type"] == "AWS::StepFunctions::StateMachine"
    }
    assert (usual.backfill_concurrency, own.backfill_concurrency) == (20, 3)
    assert caps - {None} == {"3"}


@pytest.mark.parametrize("given", ["0", "10001", "many"])
def test_a_cap_that_no_map_has_is_refused(given: str) -> None:
    context = {"matteline:stage": "dev", "matteline:backfill_concurrency": given}

    with pytest.raises(ValueError, match="backfill_concurrency"):
        Settings.from_context(context.get)


def test_every_log_group_has_a_retention(templates: Templates) -> None:
    groups = [
        resource.properties
        for template in templates.values()
        for resource in deploy(template).of("Logs::LogGroup")
    ]

    assert groups
    assert [each for each in groups if "RetentionInDays" not in each] == []


def test_templates_depend_on_the_repository_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Environment variables and the working folder do not change the templates."""
    first, second = tmp_path / "first", tmp_path / "second"
    make_app(outdir=first).synth()
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", "999999999999")
    monkeypatch.chdir(tmp_path)
    make_app(outdir=second).synth()

    assert read_templates(first) == read_templates(second)


def statements(properties: Any) -> list[dict[str, Any]]:
    """Return every policy statement anywhere in a resource."""
    if isinstance(properties, list):
        return [found for each in properties for found in statements(each)]
    if not isinstance(properties, dict):
        return []
    own = [properties] if {"Effect", "Action"} <= properties.keys() else []
    return own + [found for each in properties.values() for found in statements(each)]
