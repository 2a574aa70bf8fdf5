"""An image is pushed once, scanned, signed and never replaced."""

from __future__ import annotations

import json
from typing import Final

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from infra.app import ROOT
from infra.registry_stack import RegistryStack, Scanning
from pipeline.declared.containers import load_containers
from pipeline.declared.names import Names
from tests.infra.cloudformation import Deployed, Resource, deploy
from tests.infra.conftest import Templates

CONTAINERS: Final = load_containers(ROOT)
EACH = pytest.mark.parametrize("container", [each.name for each in CONTAINERS])


@pytest.fixture(scope="module")
def registry(templates: Templates) -> Deployed:
    return deploy(templates["matteline-registry"])


def repository(registry: Deployed, container: str) -> Resource:
    return registry.one("ECR::Repository", RepositoryName=f"matteline/{container}")


@EACH
def test_a_tag_is_immutable(registry: Deployed, container: str) -> None:
    properties = repository(registry, container).properties

    assert properties["ImageTagMutability"] == "IMMUTABLE"
    assert properties["EncryptionConfiguration"] == {"EncryptionType": "KMS"}


@EACH
def test_the_last_thirty_versions_are_kept_at_any_age(registry: Deployed, container: str) -> None:
    """With a GPU image, a version has two tags that fit the pattern: 1.3.0 and 1.3.0-gpu."""
    (manifest,) = (each for each in CONTAINERS if each.name == container)
    text = repository(registry, container).properties["LifecyclePolicy"]["LifecyclePolicyText"]
    untagged, versions = (rule["selection"] for rule in json.loads(text)["rules"])

    assert untagged == {
        "tagStatus": "untagged", "countType": "sinceImagePushed", "countNumber": 14,
        "countUnit": "days",
    }  # fmt: skip
    assert versions == {
        "tagStatus": "tagged", "tagPatternList": ["*.*.*"], "countType": "imageCountMoreThan",
        "countNumber": 60 if manifest.has_gpu_image else 30,
    }  # fmt: skip


@EACH
def test_only_lambda_may_pull_for_the_platforms_functions(
    registry: Deployed, container: str
) -> None:
    policy = repository(registry, container).properties["RepositoryPolicyText"]
    (pull,) = policy["Statement"]

    assert pull["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert pull["Action"] == ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    assert pull["Condition"] == {
        "ArnLike": {
            "aws:SourceArn": "arn:aws:lambda:eu-central-1:123456789012:function:matteline-*"
        },
    }


@EACH
def test_images_outlive_the_stack(registry: Deployed, container: str) -> None:
    policy = repository(registry, container).attributes["DeletionPolicy"]

    assert policy == "RetainExceptOnCreate"


@pytest.mark.parametrize(
    ("scanning", "scan_type", "frequency"),
    [("basic", "BASIC", "SCAN_ON_PUSH"), ("enhanced", "ENHANCED", "CONTINUOUS_SCAN")],
)
def test_pushed_images_are_scanned(scanning: Scanning, scan_type: str, frequency: str) -> None:
    names = Names("matteline-dev", account="123456789012", region="eu-central-1")
    stack = RegistryStack(cdk.App(), "stack", containers=(), names=names, scanning=scanning)
    deployed = deploy(Template.from_stack(stack).to_json())
    (made,) = deployed.of("ECR::RegistryScanningConfiguration")

    assert made.properties == {
        "ScanType": scan_type,
        "Rules": [
            {
                "ScanFrequency": frequency,
                "RepositoryFilters": [{"Filter": "matteline/*", "FilterType": "WILDCARD"}],
            }
        ],
    }


def test_pushed_images_are_signed(registry: Deployed) -> None:
    (profile,) = registry.of("Signer::SigningProfile")
    (signing,) = registry.of("ECR::SigningConfiguration")

    assert profile.properties["PlatformId"] == "Notation-OCI-SHA384-ECDSA"
    assert signing.properties["Rules"] == [
        {
            "SigningProfileArn": f"<{profile.id}.Arn>",
            "RepositoryFilters": [{"Filter": "matteline/*", "FilterType": "WILDCARD_MATCH"}],
        }
    ]


def test_all_stages_share_one_registry(registry: Deployed) -> None:
    assert [each for each in registry if "dev" in json.dumps(each.properties)] == []
