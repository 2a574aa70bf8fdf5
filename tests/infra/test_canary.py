"""A new version gets 10% of traffic first, and is rolled back at the first alarm."""

from __future__ import annotations

import re
import subprocess

import pytest

from infra.app import ROOT
from pipeline.declared.containers import load_containers
from pipeline.declared.names import Names
from tests.infra.cloudformation import ACCOUNT, REGION, Deployed, Resource, deploy
from tests.infra.conftest import Templates

EACH = pytest.mark.parametrize("container", [each.name for each in load_containers(ROOT)])


def released(templates: Templates, container: str, **how: str) -> Deployed:
    template = templates[f"matteline-dev-functions-{container}"]
    return deploy(template, ImageDigestHex="ab" * 32, ReleaseVersion="1.3.0", **how)


@EACH
def test_an_alias_shifts_by_its_own_deployment_group(templates: Templates, container: str) -> None:
    deployed = released(templates, container)
    groups = {group.id: group for group in deployed.of("CodeDeploy::DeploymentGroup")}

    for alias in deployed.of("Lambda::Alias"):
        update = alias.attributes["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
        group = groups.pop(update["DeploymentGroupName"].strip("<>"))
        assert group.id in alias.depends_on  # the group must be updated first
    assert groups == {}


@EACH
def test_a_release_shifts_ten_percent_for_five_minutes(
    templates: Templates, container: str
) -> None:
    for group in released(templates, container).of("CodeDeploy::DeploymentGroup"):
        name = group.properties["DeploymentConfigName"]
        assert name == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
        assert group.properties["AlarmConfiguration"]["Enabled"] is True


@EACH
def test_a_rollback_shifts_all_traffic_at_once_and_ignores_alarms(
    templates: Templates, container: str
) -> None:
    """The bad version raised the alarms, and CodeDeploy would stop because of them."""
    back = released(templates, container, TrafficShift="all-at-once")

    for group in back.of("CodeDeploy::DeploymentGroup"):
        name = group.properties["DeploymentConfigName"]
        assert name == "CodeDeployDefault.LambdaAllAtOnce"
        assert group.properties["AlarmConfiguration"]["Enabled"] is False


@EACH
def test_a_failed_stopped_or_alarmed_deployment_is_rolled_back(
    templates: Templates, container: str
) -> None:
    for group in released(templates, container).of("CodeDeploy::DeploymentGroup"):
        assert group.properties["AutoRollbackConfiguration"] == {
            "Enabled": True,
            "Events": [
                "DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST", "DEPLOYMENT_STOP_ON_ALARM",
            ],
        }  # fmt: skip


@EACH
def test_three_alarms_watch_the_alias_before_it_exists(
    templates: Templates, container: str
) -> None:
    functions = {
        each.properties["FunctionName"]
        for each in released(templates, container).of("Lambda::Function")
    }
    alarms = deploy(templates[f"matteline-dev-functions-{container}"]).of("CloudWatch::Alarm")

    assert {alarm.properties["AlarmName"] for alarm in alarms} == {
        f"{function}-{kind}"
        for function in functions
        for kind in ("errors", "slowness", "throttles")
    }
    for alarm in alarms:
        function = alarm.properties["AlarmName"].rpartition("-")[0]
        assert watched(alarm) <= {function, f"{function}:live"}
        assert f"{function}:live" in watched(alarm)
        assert alarm.properties["TreatMissingData"] == "notBreaching"


def watched(alarm: Resource) -> set[str]:
    """Return the values of all dimensions of an alarm's metrics."""
    queries = [each for each in alarm.properties.get("Metrics", []) if "MetricStat" in each]
    dimensions = [
        *alarm.properties.get("Dimensions", []),
        *(each for query in queries for each in query["MetricStat"]["Metric"]["Dimensions"]),
    ]
    return {each["Value"] for each in dimensions}


def test_a_call_is_slow_above_80_percent_of_the_timeout(templates: Templates) -> None:
    alarms = released(templates, "edge-refiner").of("CloudWatch::Alarm")
    (slowness,) = (each for each in alarms if each.properties["AlarmName"].endswith("-slowness"))

    assert slowness.properties["ExtendedStatistic"] == "p99"
    assert slowness.properties["Threshold"] == 0.8 * 180 * 1000


def test_permanent_errors_do_not_count_as_failed_calls(templates: Templates) -> None:
    """`pipeline.observed` publishes the metric."""
    errors = released(templates, "media-inspector").one(
        "CloudWatch::Alarm", AlarmName="matteline-dev-media-inspector-errors"
    )
    queries = {query["Id"]: query for query in errors.properties["Metrics"]}
    refused = queries.pop("refused")["MetricStat"]["Metric"]
    (expression,) = (each["Expression"] for each in queries.values() if "Expression" in each)

    assert expression == "IF(calls > 0, 100 * (errors - FILL(refused, 0)) / calls, 0)"
    assert (refused["Namespace"], refused["MetricName"]) == ("Matteline", "refused")
    assert refused["Dimensions"] == [
        {"Name": "function_name", "Value": "matteline-dev-media-inspector"}
    ]


def test_make_deploy_imports_leftovers_before_it_deploys_what_it_checked() -> None:
    lines = subprocess.run(
        ["make", "--dry-run", "deploy", "STAGE=prod"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    steps = [
        "cdk synth --all --quiet -c matteline:stage=prod",
        "matteline stage leftovers --stage prod --templates synth-output",
        "cdk import",
        "cdk deploy --all --app ../synth-output",
    ]
    places = [lines.find(step) for step in steps]

    assert -1 not in places
    assert places == sorted(places)


def test_make_deploy_uses_a_canary_even_after_a_rollback() -> None:
    process = subprocess.run(
        ["make", "--dry-run", "deploy", "STAGE=prod"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = Names("matteline-prod", account=ACCOUNT, region=REGION)

    given = re.findall(r"--parameters (\S+):TrafficShift=canary", process)
    assert sorted(given) == sorted(
        names.function_stack(each.name) for each in load_containers(ROOT)
    )
