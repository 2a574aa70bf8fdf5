"""Whatever a template retains under a fixed name is looked for before the next deployment."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from infra.app import ROOT
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import stage_names
from pipeline.operations.stage.adopting import adopted, read_templates
from pipeline.operations.stage.leftovers import Expected, Leftover, expected_of
from tests.infra.cloudformation import ACCOUNT, REGION, deploy
from tests.infra.conftest import Templates

_NAMES: Final = stage_names("dev", account=ACCOUNT, region=REGION)
_NAMED_BY: Final = {
    "DynamoDB::Table": "TableName",
    "ECR::Repository": "RepositoryName",
    "KMS::Alias": "AliasName",
    "Logs::LogGroup": "LogGroupName",
    "S3::Bucket": "BucketName",
    "S3Vectors::VectorBucket": "VectorBucketName",
}
# They are deleted with what they belong to.
_OF_OTHERS: Final = {"Lambda::Version", "StepFunctions::StateMachineVersion"}


@pytest.fixture(scope="module")
def expected() -> tuple[Expected, ...]:
    return expected_of(Blueprint.read(ROOT), _NAMES)


def kept(templates: Templates) -> set[tuple[str, str, Any]]:
    """Return the stack, type and name of what stays when a stage is destroyed, and of its logs."""
    return {
        (stack, kind, resource.properties.get(_NAMED_BY.get(kind, "")))
        for stack, template in templates.items()
        for resource in deploy(template, **_given(template))
        for kind in [resource.type.removeprefix("AWS::")]
        if resource.attributes.get("DeletionPolicy", "Delete") != "Delete"
        or kind in {"Logs::LogGroup", "S3::Bucket"}
    }


def _given(template: Any) -> dict[str, str]:
    return (
        {"ImageDigestHex": "ab" * 32} if "ImageDigestHex" in template.get("Parameters", {}) else {}
    )


def test_everything_that_outlives_its_stack_is_expected(
    on_gpus: Templates, expected: tuple[Expected, ...]
) -> None:
    named = {(each.stack, each.kind, each.name) for each in expected if each.kind != "KMS::Key"}
    page = {each for each in named if each[0] == "matteline-dev-page"}  # not in this stage
    stays = kept(on_gpus)

    assert {each for each in stays if each[1] not in {*_OF_OTHERS, "KMS::Key"}} == named - page
    keys = [stack for stack, kind, _ in stays if kind == "KMS::Key"]
    assert set(keys) == {each.stack for each in expected if each.kind == "KMS::Key"}


def test_each_leftover_has_a_place_in_the_templates(
    templates: Templates, expected: tuple[Expected, ...]
) -> None:
    """Imported together, they refer to nothing that is not imported."""
    found = [Leftover(each, {"Id": each.name}) for each in expected]
    mappings = adopted(found, templates, _NAMES)

    places = [
        (templates[stack]["Resources"][at]["Type"], identifier["Id"])
        for stack, mapping in mappings.items()
        for at, identifier in mapping.items()
    ]
    assert sorted(places) == sorted(
        (f"AWS::{each.kind}", each.name) for each in expected if each.stack in templates
    )


def test_templates_are_read_as_cdk_wrote_them(templates: Templates, assembly: Path) -> None:
    assert read_templates(assembly) == templates


def test_only_the_account_may_create_log_groups(templates: Templates) -> None:
    """No role of a stage may: a group that was deleted stays so."""
    assert "logs:CreateLogGroup" not in str(templates)
