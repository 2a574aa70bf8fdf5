"""A folder or a row more in the repository is that much more on AWS; infra/ stays as it is."""

from __future__ import annotations

from collections import Counter

from tests.infra.cloudformation import deploy
from tests.infra.conftest import Templates

RELEASED = {"ImageDigestHex": "ab" * 32, "ReleaseVersion": "1.0.0"}
ONE_FUNCTION = {
    "AWS::Lambda::Function": 1,
    "AWS::Lambda::Version": 1,
    "AWS::Lambda::Alias": 1,
    "AWS::CodeDeploy::DeploymentGroup": 1,
    "AWS::CloudWatch::Alarm": 3,
}


def counts(templates: Templates, stack: str) -> Counter[str]:
    template = templates[stack]
    given = RELEASED if "ImageDigestHex" in template.get("Parameters", {}) else {}
    return Counter(resource.type for resource in deploy(template, **given))


def test_a_container_more_is_a_stack_more(templates: Templates, grown: Templates) -> None:
    assert grown.keys() - templates.keys() == {"matteline-dev-functions-face-finder"}
    assert counts(grown, "matteline-dev-functions-face-finder") == {
        **ONE_FUNCTION,
        "AWS::CodeDeploy::Application": 1,
        "AWS::SSM::Parameter": 1,
    }


def test_a_container_more_is_a_repository_more(templates: Templates, grown: Templates) -> None:
    stack = "matteline-registry"

    assert counts(grown, stack) - counts(templates, stack) == {"AWS::ECR::Repository": 1}


def test_a_model_more_is_a_function_more_with_its_canary(
    templates: Templates, grown: Templates
) -> None:
    stack = "matteline-dev-functions-background-remover"

    assert counts(grown, stack) - counts(templates, stack) == ONE_FUNCTION


def test_a_container_and_a_model_more_are_two_roles_and_two_logs_more(
    templates: Templates, grown: Templates
) -> None:
    stack = "matteline-dev-access"

    assert counts(grown, stack) - counts(templates, stack) == {
        "AWS::IAM::Role": 2,
        "AWS::Logs::LogGroup": 2,
    }


def test_a_bucket_and_a_table_more_are_closed_like_the_others(
    templates: Templates, grown: Templates
) -> None:
    stack = "matteline-dev-storage"

    assert counts(grown, stack) - counts(templates, stack) == {
        "AWS::S3::Bucket": 1,
        "AWS::S3::BucketPolicy": 1,
        "AWS::DynamoDB::Table": 1,
    }
