"""State machines on AWS are logged and versioned, and their rules start the alias with retries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from infra.app import ROOT, make_app
from pipeline.declared.products import load_products
from tests.infra.cloudformation import Deployed, deploy
from tests.infra.conftest import Templates, read_templates

_FOLDER: Final = ROOT / "state_machines"
_MACHINES: Final = sorted(path.name.split(".")[0] for path in _FOLDER.glob("*.asl.json"))
_ON_REQUEST: Final = {each.machine for each in load_products(ROOT) if each.on_request}
_TRIGGERED: Final = sorted(
    {
        path.name.split(".")[0]
        for kind in ("trigger", "schedule", "product")
        for path in _FOLDER.glob(f"*.{kind}.*")
    }
    - _ON_REQUEST
)


@pytest.fixture
def stack(templates: Templates) -> Deployed:
    return deploy(templates["matteline-dev-pipeline"])


def rule(stack: Deployed, machine: str) -> dict[str, Any]:
    return stack.one("Events::Rule", Name=f"matteline-dev-{machine}").properties


@pytest.mark.parametrize("machine", _MACHINES)
def test_every_machine_is_traced_and_logged_without_execution_data(
    stack: Deployed, machine: str
) -> None:
    made = stack.one("StepFunctions::StateMachine", StateMachineName=f"matteline-dev-{machine}")
    logging = made.properties["LoggingConfiguration"]

    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", False)
    assert made.properties["TracingConfiguration"] == {"Enabled": True}
    group = f"/aws/vendedlogs/states/matteline-dev-{machine}"
    assert stack.one("Logs::LogGroup", LogGroupName=group).properties["RetentionInDays"] == 90


def test_a_new_definition_shifts_slowly_under_an_alarm(stack: Deployed) -> None:
    guards = {f"<{alarm.id}>" for alarm in stack.of("CloudWatch::Alarm")}
    aliases = stack.of("StepFunctions::StateMachineAlias")

    assert len(aliases) == len(_MACHINES)
    for alias in aliases:
        preference = alias.properties["DeploymentPreference"]
        assert (alias.properties["Name"], preference["Type"]) == ("live", "CANARY")
        assert set(preference["Alarms"]) <= guards
        assert len(preference["Alarms"]) == 1


def test_every_revision_makes_a_version_that_outlives_the_next(stack: Deployed) -> None:
    for version in stack.of("StepFunctions::StateMachineVersion"):
        assert version.properties["StateMachineRevisionId"].endswith(".StateMachineRevisionId>")
        assert version.attributes["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("machine", _TRIGGERED)
def test_an_event_starts_the_alias_and_has_a_dead_letter_queue(
    stack: Deployed, machine: str
) -> None:
    (target,) = rule(stack, machine)["Targets"]
    aliases = {f"<{alias.id}.Arn>" for alias in stack.of("StepFunctions::StateMachineAlias")}
    queue = stack.one("SQS::Queue", QueueName=f"matteline-dev-{machine}-undelivered")

    assert target["Arn"] in aliases
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 8}
    assert target["DeadLetterConfig"] == {"Arn": f"<{queue.id}.Arn>"}
    assert not {"Input", "InputPath", "InputTransformer"} & target.keys()
    assert queue.properties["SqsManagedSseEnabled"] is True


def test_only_its_own_rule_may_send_to_a_queue_and_only_with_tls(stack: Deployed) -> None:
    rules = {f"<{each.id}.Arn>" for each in stack.of("Events::Rule")}
    policies = stack.of("SQS::QueuePolicy")

    assert len(policies) == len(_TRIGGERED)
    for policy in policies:
        deny, allow = policy.properties["PolicyDocument"]["Statement"]
        assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert allow["Principal"] == {"Service": "events.amazonaws.com"}
        assert allow["Condition"]["ArnEquals"]["aws:SourceArn"] in rules


def test_a_rule_may_start_its_own_machine_and_nothing_else(stack: Deployed) -> None:
    starters = [
        statement
        for policy in stack.of("IAM::Policy")
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if "Starter" in policy.id
    ]
    aliases = {f"<{alias.id}.Arn>" for alias in stack.of("StepFunctions::StateMachineAlias")}

    assert len(starters) == len(_TRIGGERED)
    assert {each["Action"] for each in starters} == {"states:StartExecution"}
    assert {each["Resource"] for each in starters} <= aliases


def test_every_object_in_the_ingest_bucket_but_folder_markers_starts_an_execution(
    stack: Deployed,
) -> None:
    """An event that no pattern matches is lost without a trace."""
    photos, recordings = (
        rule(stack, name)["EventPattern"]["detail"] for name in ("cutout", "transcript")
    )

    bucket = {"name": ["matteline-dev-ingest-123456789012-eu-central-1"]}
    assert (photos["bucket"], recordings["bucket"]) == (bucket, bucket)
    suffixes = [each["suffix"] for each in recordings["object"]["key"]]
    assert ".mp3" in suffixes
    assert photos["object"] == {"key": [{"anything-but": {"suffix": ["/", *suffixes]}}]}


def test_no_rule_starts_a_product_on_request(stack: Deployed) -> None:
    started = {each.properties["Name"] for each in stack.of("Events::Rule")}

    assert sorted(_ON_REQUEST) == ["faces"]
    assert "matteline-dev-faces" not in started


@pytest.mark.parametrize("given", [{"faces": ["people/", "teams/"]}, "faces=people/ faces=teams/"])
def test_a_stage_that_names_prefixes_has_a_rule_for_them_and_its_alarm(
    tmp_path: Path, given: object
) -> None:
    make_app(outdir=tmp_path, given={"matteline:on_request": given}).synth()
    templates = read_templates(tmp_path)
    stack = deploy(templates["matteline-dev-pipeline"])

    pattern = rule(stack, "faces")["EventPattern"]
    assert pattern["detail"]["object"] == {
        "key": [{"prefix": "people/"}, {"prefix": "teams/"}],
        "size": [{"numeric": [">", 0]}],
    }
    assert pattern["detail-type"] == ["Object Created"]
    assert stack.one("SQS::Queue", QueueName="matteline-dev-faces-undelivered")
    alarms = deploy(templates["matteline-dev-observability"]).of("CloudWatch::Alarm")
    names = [each.properties["AlarmName"] for each in alarms]
    assert "matteline-dev-faces-undelivered" in names


def test_prefixes_of_no_product_on_request_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'face' is no product on request; did you mean 'faces'"):
        make_app(outdir=tmp_path, given={"matteline:on_request": {"face": ["people/"]}})


def test_failures_are_recorded_whichever_alias_started_the_execution(stack: Deployed) -> None:
    pattern = rule(stack, "record-failure")["EventPattern"]

    arn = "arn:aws:states:eu-central-1:123456789012:stateMachine:matteline-dev-"
    assert pattern["detail"]["stateMachineArn"] == [
        f"{arn}{name}" for name in ("cutout", "faces", "transcript", "collection")
    ]
    assert set(pattern["detail"]["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}


def test_the_reaper_runs_every_fifteen_minutes(stack: Deployed) -> None:
    clock = rule(stack, "reap-jobs")

    assert (clock["ScheduleExpression"], clock["State"]) == ("rate(15 minutes)", "ENABLED")
    assert "EventPattern" not in clock


def test_a_new_model_may_be_invoked_without_an_edit(grown: Templates) -> None:
    policies = deploy(grown["matteline-dev-pipeline"]).of("IAM::Policy")

    assert "background-remover-tiny:live" in json.dumps([each.properties for each in policies])
