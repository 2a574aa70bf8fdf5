"""New declarations add exactly their own resources, without a change in infra/."""

from __future__ import annotations

import re
from collections import Counter

from infra.app import ROOT
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


def test_a_new_container_adds_a_stack(templates: Templates, grown: Templates) -> None:
    assert grown.keys() - templates.keys() == {"matteline-dev-functions-face-finder"}
    assert counts(grown, "matteline-dev-functions-face-finder") == {
        **ONE_FUNCTION,
        "AWS::CodeDeploy::Application": 1,
        "AWS::SSM::Parameter": 1,
    }


def test_a_new_container_adds_a_repository(templates: Templates, grown: Templates) -> None:
    stack = "matteline-registry"

    assert counts(grown, stack) - counts(templates, stack) == {"AWS::ECR::Repository": 1}


def test_a_new_model_adds_a_function_with_its_canary(
    templates: Templates, grown: Templates
) -> None:
    stack = "matteline-dev-functions-background-remover"

    assert counts(grown, stack) - counts(templates, stack) == ONE_FUNCTION


def test_a_new_container_and_a_new_model_add_two_roles_and_two_logs(
    templates: Templates, grown: Templates
) -> None:
    stack = "matteline-dev-access"

    assert counts(grown, stack) - counts(templates, stack) == {
        "AWS::IAM::Role": 2,
        "AWS::Logs::LogGroup": 2,
    }


def test_a_new_bucket_and_a_new_table_are_private(templates: Templates, grown: Templates) -> None:
    stack = "matteline-dev-storage"

    assert counts(grown, stack) - counts(templates, stack) == {
        "AWS::S3::Bucket": 1,
        "AWS::S3::BucketPolicy": 1,
        "AWS::DynamoDB::Table": 1,
    }


def test_a_new_product_adds_a_machine_that_its_uploads_start(
    templates: Templates, grown: Templates
) -> None:
    stack = "matteline-dev-pipeline"

    assert counts(grown, stack) - counts(templates, stack) == {
        "AWS::StepFunctions::StateMachine": 1,
        "AWS::StepFunctions::StateMachineVersion": 1,
        "AWS::StepFunctions::StateMachineAlias": 1,
        "AWS::Logs::LogGroup": 1,
        "AWS::CloudWatch::Alarm": 1,
        "AWS::Events::Rule": 1,
        "AWS::SQS::Queue": 1,
        "AWS::SQS::QueuePolicy": 1,
        "AWS::IAM::Role": 2,
        "AWS::IAM::Policy": 2,
    }


def test_a_new_product_has_alarms_and_a_count_of_quarantined_inputs(
    templates: Templates, grown: Templates
) -> None:
    before, after = (
        {
            alarm.properties["AlarmName"]
            for alarm in deploy(each["matteline-dev-observability"]).of("CloudWatch::Alarm")
        }
        for each in (templates, grown)
    )
    filters = deploy(grown["matteline-dev-observability"]).of("Logs::MetricFilter")

    ends = ("failed", "timed-out", "throttled", "undelivered", "quarantine-rate", "fallback-rate")
    names = {f"matteline-dev-memo-{end}" for end in (*ends, "nothing-succeeds")}
    assert after - before == names | {"matteline-dev-readers-table-throttled"}
    assert {
        (each.properties["LogGroupName"].rpartition("-")[2], transformation["MetricName"])
        for each in filters
        for transformation in each.properties["MetricTransformations"]
    } == {
        ("collection", "collection-quarantined"),
        ("cutout", "cutout-quarantined"),
        ("cutout", "cutout-fallback"),
        ("faces", "faces-quarantined"),
        ("faces", "faces-fallback"),
        ("memo", "memo-quarantined"),
        ("memo", "memo-fallback"),
        ("transcript", "transcript-quarantined"),
        ("transcript", "transcript-fallback"),
        ("selection", "prepare-selection-refused"),
        ("webhook", "dead-letters"),
    }


def test_every_alarm_of_a_new_product_names_a_runbook_section(grown: Templates) -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    alarms = deploy(grown["matteline-dev-observability"]).of("CloudWatch::Alarm")
    texts = [each.properties["AlarmDescription"] for each in alarms]

    sections = {section for text in texts for section in re.findall(r"section `([a-z-]+)`", text)}
    assert sections <= set(re.findall(r"^## ([a-z-]+)$", runbook, re.MULTILINE))


def test_failed_executions_of_a_new_product_are_recorded(grown: Templates) -> None:
    rules = deploy(grown["matteline-dev-pipeline"])
    rule = rules.one("Events::Rule", Name="matteline-dev-record-failure").properties

    listed = rule["EventPattern"]["detail"]["stateMachineArn"]
    assert [arn.rpartition(":")[2] for arn in listed] == [
        "matteline-dev-cutout",
        "matteline-dev-faces",
        "matteline-dev-memo",
        "matteline-dev-transcript",
        "matteline-dev-collection",
    ]


def test_uploads_for_a_new_product_do_not_start_the_others(grown: Templates) -> None:
    rules = deploy(grown["matteline-dev-pipeline"])
    keys = {
        name: rules.one("Events::Rule", Name=f"matteline-dev-{name}").properties["EventPattern"][
            "detail"
        ]["object"]["key"]
        for name in ("cutout", "memo", "transcript")
    }

    texts = [".txt", ".TXT", ".Txt"]
    recordings = [each["suffix"] for each in keys["transcript"]]
    assert keys["memo"] == [{"suffix": spelled} for spelled in texts]
    assert keys["cutout"] == [{"anything-but": {"suffix": ["/", *texts, *recordings]}}]
