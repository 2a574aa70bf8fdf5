"""A release changes two parameters of one stack; a third sets how traffic shifts."""

from __future__ import annotations

import json

import pytest

from infra.app import ROOT
from pipeline.declared.containers import load_containers
from tests.infra.cloudformation import Deployed, Resource, deploy
from tests.infra.conftest import Templates

EACH = pytest.mark.parametrize("container", [each.name for each in load_containers(ROOT)])
HEX, OTHER_HEX = "ab" * 32, "cd" * 32
MADE_BY_A_RELEASE = {
    "AWS::Lambda::Function", "AWS::Lambda::Version", "AWS::Lambda::Alias", "AWS::SSM::Parameter",
}  # fmt: skip


def before(templates: Templates, container: str) -> Deployed:
    return deploy(templates[f"matteline-dev-functions-{container}"])


def after(
    templates: Templates, container: str, image: str = HEX, version: str = "1.3.0", **how: str
) -> Deployed:
    """Return the container's stack after a release."""
    template = templates[f"matteline-dev-functions-{container}"]
    return deploy(template, ImageDigestHex=image, ReleaseVersion=version, **how)


def types(resources: list[Resource]) -> set[str]:
    return {resource.type for resource in resources}


@EACH
def test_before_a_release_a_stack_has_only_what_needs_no_image(
    templates: Templates, container: str
) -> None:
    assert types(list(before(templates, container))) == {
        "AWS::CodeDeploy::Application",
        "AWS::CodeDeploy::DeploymentGroup",
        "AWS::CloudWatch::Alarm",
    }


@EACH
def test_the_first_release_adds_functions_aliases_and_the_record_only(
    templates: Templates, container: str
) -> None:
    old, new = before(templates, container), after(templates, container)

    assert [resource for resource in old if resource not in new] == []
    assert types([resource for resource in new if resource not in old]) == MADE_BY_A_RELEASE


@EACH
def test_every_function_of_a_container_runs_the_released_digest(
    templates: Templates, container: str
) -> None:
    functions = after(templates, container).of("Lambda::Function")

    assert {each.properties["Code"]["ImageUri"] for each in functions} == {
        f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/matteline/{container}@sha256:{HEX}"
    }


@EACH
@pytest.mark.parametrize(("image", "version"), [(OTHER_HEX, "1.3.0"), (HEX, "1.3.1")])
def test_another_release_replaces_every_version_and_keeps_the_aliases(
    templates: Templates, container: str, image: str, version: str
) -> None:
    """Lambda cannot change a version's description, so a new one makes a new version."""
    old, new = after(templates, container), after(templates, container, image, version)
    changed = [resource for resource in new if resource not in old]

    assert len(new.of("Lambda::Version")) == len(new.of("Lambda::Function"))
    assert all(version in changed for version in new.of("Lambda::Version"))
    assert types(changed) == MADE_BY_A_RELEASE - {"AWS::Lambda::Alias"}


def test_a_changed_setting_makes_a_new_version(templates: Templates, grown: Templates) -> None:
    """In the grown tree the refiner's timeout is one second longer."""
    (old,) = after(templates, "edge-refiner").of("Lambda::Version")
    (new,) = after(grown, "edge-refiner").of("Lambda::Version")

    assert old.id != new.id


def test_an_unchanged_function_keeps_its_version(templates: Templates, grown: Templates) -> None:
    (old,) = after(templates, "media-inspector").of("Lambda::Version")
    (new,) = after(grown, "media-inspector").of("Lambda::Version")

    assert old == new


@EACH
def test_live_versions_are_retained_and_failed_ones_deleted(
    templates: Templates, container: str
) -> None:
    """Plain Retain would keep a rolled-back version, and its next release would reuse it."""
    for version in after(templates, container).of("Lambda::Version"):
        assert version.attributes["DeletionPolicy"] == "RetainExceptOnCreate"
        assert version.attributes["UpdateReplacePolicy"] == "Retain"


@EACH
def test_the_alias_live_names_the_new_version(templates: Templates, container: str) -> None:
    deployed = after(templates, container)
    versions = [f"<{version.id}.Version>" for version in deployed.of("Lambda::Version")]
    aliases = deployed.of("Lambda::Alias")

    assert [alias.properties["FunctionVersion"] for alias in aliases] == versions
    assert {alias.properties["Name"] for alias in aliases} == {"live"}


@EACH
def test_the_live_version_is_recorded_after_every_canary(
    templates: Templates, container: str
) -> None:
    deployed = after(templates, container)
    record = deployed.one("SSM::Parameter", Name=f"/matteline-dev/released/{container}")

    assert json.loads(record.properties["Value"]) == {
        "version": "1.3.0",
        "digest": f"sha256:{HEX}",
    }
    assert {alias.id for alias in deployed.of("Lambda::Alias")} <= record.depends_on


@EACH
def test_a_function_has_its_digest_and_release_in_its_environment(
    templates: Templates, container: str
) -> None:
    for function in after(templates, container).of("Lambda::Function"):
        variables = function.properties["Environment"]["Variables"]
        assert variables["MATTELINE_IMAGE_DIGEST"] == f"sha256:{HEX}"
        assert variables["MATTELINE_RELEASE"] == "1.3.0"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ImageDigestHex", f"sha256:{HEX}"),
        ("ImageDigestHex", HEX[1:]),
        ("ImageDigestHex", "latest"),
        ("ReleaseVersion", "v1.0.0"),
        ("ReleaseVersion", "1.0"),
        ("ReleaseVersion", "1.0.0-rc1"),
        ("TrafficShift", "linear"),
    ],
)
def test_an_invalid_parameter_raises(templates: Templates, name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        deploy(templates["matteline-dev-functions-edge-refiner"], **{name: value})


@EACH
def test_a_function_stack_has_no_parameters_but_those_of_a_release(
    templates: Templates, container: str
) -> None:
    template = templates[f"matteline-dev-functions-{container}"]

    assert set(template["Parameters"]) == {"ImageDigestHex", "ReleaseVersion", "TrafficShift"}
    assert "Rules" not in template


@EACH
def test_a_function_stack_refers_to_no_other_stack_and_creates_no_role(
    templates: Templates, container: str
) -> None:
    template = templates[f"matteline-dev-functions-{container}"]
    text = json.dumps(template)

    assert [word for word in ("ImportValue", "GetStackOutput") if word in text] == []
    assert "Outputs" not in template
    assert [each for each in types(list(after(templates, container))) if "IAM" in each] == []
