"""Deploy roles allow the calls that CloudFormation's schemas list."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Final

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from infra.app import ROOT
from pipeline.declared.containers import load_containers
from pipeline.declared.names import Names
from tests.infra.cloudformation import ACCOUNT, REGION, Resource, deploy
from tests.infra.conftest import Templates
from tests.infra.policies import listed, role

CONTAINERS: Final = [each.name for each in load_containers(ROOT)]
NAMES: Final = Names("matteline-dev", account=ACCOUNT, region=REGION)
RELEASES: Final[tuple[Mapping[str, str], ...]] = (
    {},
    {"ImageDigestHex": "ab" * 32, "ReleaseVersion": "1.0.0"},
    {"ImageDigestHex": "cd" * 32, "ReleaseVersion": "1.1.0", "TrafficShift": "all-at-once"},
)
# Needed only for customer keys on environments and parameters, which the stacks do not use.
ENCRYPTION: Final = "kms:"


def changed_by_releases(template: dict[str, object]) -> set[str]:
    """Return the types of the resources that a release creates or changes."""
    stages = [{each.id: each for each in deploy(template, **given)} for given in RELEASES]
    return {
        resource.type
        for before, after in itertools.pairwise(stages)
        for resource in after.values()
        if _differs(before.get(resource.id), resource)
    }


def _differs(before: Resource | None, after: Resource) -> bool:
    return before is None or before.properties != after.properties


def read_by(kind: str) -> Iterator[str]:
    """Yield the actions CloudFormation calls to read a resource of a type back."""
    handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema["handlers"]
    yield from (each for each in handlers["read"]["permissions"] if ENCRYPTION not in each)


def test_a_release_changes_versions_aliases_groups_and_the_record(templates: Templates) -> None:
    assert changed_by_releases(templates["matteline-dev-functions-edge-refiner"]) == {
        "AWS::CodeDeploy::DeploymentGroup",
        "AWS::Lambda::Alias",
        "AWS::Lambda::Function",
        "AWS::Lambda::Version",
        "AWS::SSM::Parameter",
    }


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_deploy_role_may_read_back_all_that_a_release_changes(
    templates: Templates, container: str
) -> None:
    kinds = changed_by_releases(templates[NAMES.function_stack(container)])
    releases = deploy(templates["matteline-dev-releases"])
    allowed = {
        action
        for statement in role(releases, NAMES.deploy_role(container))
        for action in listed(statement["Action"])
    }

    assert {action for kind in kinds for action in read_by(kind)} - allowed == set()
