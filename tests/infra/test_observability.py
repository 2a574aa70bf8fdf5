"""Alarms, dashboard and queries use metrics and logs that exist."""

from __future__ import annotations

import json
from typing import Any, Final

import aws_cdk as cdk
import pytest

from infra.app import ROOT
from infra.observability_stack import ObservabilityStack
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names
from pipeline.declared.products import Product, load_products
from pipeline.errors import PipelineError, leaf_names
from tests.infra.cloudformation import Deployed, deploy
from tests.infra.conftest import Templates

_NAMES: Final = Names("matteline-dev", account="123456789012", region="eu-central-1")


@pytest.fixture
def stack(templates: Templates) -> Deployed:
    return deploy(templates["matteline-dev-observability"])


def alarm(stack: Deployed, name: str) -> dict[str, Any]:
    return stack.one("CloudWatch::Alarm", AlarmName=f"matteline-dev-{name}").properties


def metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """Yield the metrics that an expression uses."""
    parts = alarm.get("Metrics", [])
    return [each["MetricStat"]["Metric"] for each in parts if "MetricStat" in each]


@pytest.mark.parametrize(
    ("machine", "metric", "state"),
    [
        ("cutout", "cutout-quarantined", "Quarantine"),
        ("collection", "collection-quarantined", "Quarantine"),
        ("prepare-selection", "prepare-selection-refused", "Refused"),
    ],
)
def test_input_that_is_refused_does_not_count_as_failed(
    stack: Deployed, machine: str, metric: str, state: str
) -> None:
    failed = alarm(stack, f"{machine}-failed")
    counter, counted = counter_of(stack, metric)

    assert {each["MetricName"] for each in metrics(failed)} == {"ExecutionsFailed", metric}
    assert counter["LogGroupName"].endswith(f"-{machine}")
    assert f'$.details.name = "{state}"' in counter["FilterPattern"]
    assert (counted["MetricNamespace"], counted["MetricName"]) in {
        (each["Namespace"], each["MetricName"]) for each in metrics(failed)
    }


def counter_of(stack: Deployed, metric: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the metric filter that counts a metric, and its transformation."""
    (found,) = (
        (each.properties, counted)
        for each in stack.of("Logs::MetricFilter")
        for counted in each.properties["MetricTransformations"]
        if counted["MetricName"] == metric
    )
    return found


def test_dead_letters_of_webhooks_are_counted_where_they_are_kept(stack: Deployed) -> None:
    counter, counted = counter_of(stack, "dead-letters")
    definition = json.loads((ROOT / "state_machines" / "deliver-webhook.asl.json").read_text())
    watched = alarm(stack, "webhooks-dead")

    assert definition["States"]["KeepDeadLetter"]["Type"] == "Task"
    assert '$.details.name = "KeepDeadLetter"' in counter["FilterPattern"]
    assert counter["LogGroupName"].endswith("-deliver-webhook")
    assert (watched["Namespace"], watched["MetricName"]) == (
        counted["MetricNamespace"],
        counted["MetricName"],
    )


def test_a_day_without_compaction_is_an_alarm(stack: Deployed) -> None:
    watched = alarm(stack, "compaction-missing")
    machine = watched["Dimensions"][0]["Value"].rpartition(":")[2]

    assert (machine, watched["MetricName"]) == (
        "matteline-dev-compact-collections",
        "ExecutionsSucceeded",
    )
    assert (watched["Period"], watched["EvaluationPeriods"]) == (24 * 60 * 60, 1)
    assert (watched["ComparisonOperator"], watched["Threshold"]) == ("LessThanThreshold", 1)
    assert watched["TreatMissingData"] == "breaching"


@pytest.mark.parametrize(
    ("name", "metric"), [("segment-mismatch", "SegmentMismatch"), ("erasure-overdue", "overdue")]
)
def test_one_vector_or_object_too_many_is_an_alarm(stack: Deployed, name: str, metric: str) -> None:
    watched = alarm(stack, name)

    assert (watched["Namespace"], watched["MetricName"]) == ("Matteline", metric)
    assert watched["Dimensions"] == [{"Name": "service", "Value": "vector-index"}]
    assert (watched["ComparisonOperator"], watched["Threshold"]) == ("GreaterThanThreshold", 0)


@pytest.mark.parametrize("product", load_products(ROOT), ids=lambda product: product.name)
def test_the_counted_state_exists(product: Product) -> None:
    path = ROOT / "state_machines" / f"{product.machine}.asl.json"
    definition = json.loads(path.read_text())

    assert definition["States"]["Quarantine"]["Type"] == "Task"


def test_an_alarm_covers_broken_weights_of_every_container(stack: Deployed) -> None:
    """One alarm adds up ten metrics, so there are several."""
    asked = {
        metric["Dimensions"][0]["Value"]
        for each in stack.of("CloudWatch::Alarm")
        if each.properties["AlarmName"].startswith("matteline-dev-weights-mismatch")
        for metric in metrics(each.properties)
    }

    assert asked == {path.parent.name.replace("_", "-") for path in _manifests()}


def test_alarms_use_the_metric_names_that_tasks_publish(
    templates: Templates,
) -> None:
    """tests/pipeline/test_task_log.py checks that tasks publish them."""
    errors = leaf_names(PipelineError)
    asked = {
        (name, dimension["Name"])
        for template in templates.values()
        for alarm in deploy(template).of("CloudWatch::Alarm")
        for metric in metrics(alarm.properties)
        if metric["Namespace"] == "Matteline"
        for name, dimension in [(metric["MetricName"], metric["Dimensions"][0])]
    }

    assert ("refused", "function_name") in asked
    assert {name for name, dimension in asked if dimension == "service"} <= errors
    assert {dimension for _, dimension in asked} == {"service", "function_name"}


def test_every_machine_and_every_trigger_has_its_alarms(templates: Templates) -> None:
    names = {
        each.properties["AlarmName"].removeprefix("matteline-dev-")
        for each in deploy(templates["matteline-dev-observability"]).of("CloudWatch::Alarm")
    }
    folder = ROOT / "state_machines"

    asked = {f"{each.machine}-undelivered" for each in load_products(ROOT) if each.on_request}
    for kind, ends in (
        ("asl", ("failed", "timed-out", "throttled")),
        ("trigger", ("undelivered",)),
        ("schedule", ("undelivered",)),
        ("product", ("undelivered", "quarantine-rate", "nothing-succeeds")),
    ):
        for path in folder.glob(f"*.{kind}.*"):
            wanted = {f"{path.name.split('.')[0]}-{end}" for end in ends}
            assert wanted - asked <= names
    assert asked
    assert not asked & names  # no rule starts a product on request in this stage


def test_the_dashboard_shows_every_machine_container_and_queue(stack: Deployed) -> None:
    (board,) = stack.of("CloudWatch::Dashboard")
    body = board.properties["DashboardBody"]
    shown = json.loads(body)["widgets"]

    titles = " ".join(widget["properties"].get("title", "") for widget in shown)
    for name in ("cutout", "record-failure", "reap-jobs", "background-remover", "edge-refiner"):
        assert name in titles
    for text in (
        "task_ms",
        "peak_rss_mb",
        "cold_start",
        '"service"',
        "reap-jobs-undelivered",
        "p99",
        "forgotten",
        "overdue",
    ):
        assert text in body


def test_queries_cover_every_function(stack: Deployed) -> None:
    query = stack.one("Logs::QueryDefinition", Name="matteline-dev/errors-by-name").properties

    groups = query["LogGroupNames"]
    assert "/aws/lambda/matteline-dev-background-remover-u2netp" in groups
    assert "/aws/lambda/matteline-dev-edge-refiner" in groups


def test_alarms_are_mailed_to_the_configured_address() -> None:
    blueprint = Blueprint.read(ROOT, defaults=("starter",))
    stack = ObservabilityStack(
        cdk.App(), "o", blueprint=blueprint, names=_NAMES, alarm_email="ops@example.org"
    )
    template = cdk.assertions.Template.from_stack(stack)

    template.has_resource_properties(
        "AWS::SNS::Subscription", {"Protocol": "email", "Endpoint": "ops@example.org"}
    )


def test_without_an_address_nobody_is_subscribed(stack: Deployed) -> None:
    assert stack.of("SNS::Subscription") == []


def test_the_topic_admits_cloudwatch_and_requires_tls(stack: Deployed) -> None:
    (policy,) = stack.of("SNS::TopicPolicy")
    statements = policy.properties["PolicyDocument"]["Statement"]
    effects = {(each["Effect"], json.dumps(each.get("Condition"))) for each in statements}

    assert any(effect == "Deny" and "aws:SecureTransport" in given for effect, given in effects)
    assert any(effect == "Allow" and "aws:SourceAccount" in given for effect, given in effects)
    (key,) = stack.of("KMS::Key")
    assert "cloudwatch.amazonaws.com" in json.dumps(key.properties["KeyPolicy"])


def _manifests() -> list[Any]:
    return sorted((ROOT / "containers").glob("*/container.toml"))
