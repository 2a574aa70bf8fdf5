"""Define the stack of alarms and their topic, a dashboard, and saved queries."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.alarms import Alarms
from infra.collection_alarms import add_collection_alarms
from infra.dashboard import Dashboard
from infra.machine_alarms import add_machine_alarms
from infra.metrics import (
    DEAD_LETTERS,
    FALLBACK_STATE,
    fallback_name,
    falling_back,
    namespace,
    quarantined_name,
    refused_name,
    refusing,
)
from infra.queries import SavedQueries
from infra.resource_alarms import add_resource_alarms
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.declaration import pascal_case
from pipeline.declared.names import Names

_DELIVERING: Final = "deliver-webhook"


class ObservabilityStack(cdk.Stack):
    """Alarms, dashboard and queries, which refer to resources of other stacks by name."""

    def __init__(
        self,
        scope: Construct,
        stack_id: str,
        *,
        blueprint: Blueprint,
        names: Names,
        alarm_email: str | None,
    ) -> None:
        super().__init__(scope, stack_id, description="Matteline: alarms, dashboard, queries")
        topic = _topic(self, names)
        if alarm_email:
            topic.add_subscription(subscriptions.EmailSubscription(alarm_email))
        for machine in blueprint.claiming:
            counted = quarantined_name(machine)
            _count_entries(self, machine, state="Quarantine", metric=counted, names=names)
        _count_entries(self, _DELIVERING, state="KeepDeadLetter", metric=DEAD_LETTERS, names=names)
        for machine in refusing(blueprint):
            counted = refused_name(machine)
            _count_entries(self, machine, state="Refused", metric=counted, names=names)
        for machine in falling_back(blueprint):
            counted = fallback_name(machine)
            _count_entries(self, machine, state=FALLBACK_STATE, metric=counted, names=names)
        alarms = Alarms(self, names)
        add_machine_alarms(alarms, blueprint, names)
        add_resource_alarms(alarms, blueprint, names)
        add_collection_alarms(alarms, names)
        Dashboard(self, blueprint=blueprint, names=names)
        SavedQueries(self, blueprint=blueprint, names=names)


def _topic(scope: Construct, names: Names) -> sns.Topic:
    """Create the topic with its own key: the AWS managed key does not admit CloudWatch."""
    only_ours = {"StringEquals": {"aws:SourceAccount": names.account}}
    cloudwatch = iam.ServicePrincipal("cloudwatch.amazonaws.com", conditions=only_ours)
    key = kms.Key(
        scope,
        "AlarmKey",
        alias=f"alias/{names.alarm_topic()}",
        description="Encrypts alarm notifications",
        enable_key_rotation=True,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    key.grant(cloudwatch, "kms:Decrypt", "kms:GenerateDataKey*")
    topic = sns.Topic(
        scope,
        "AlarmTopic",
        topic_name=names.alarm_topic(),
        display_name="Matteline alarms",
        master_key=key,
        enforce_ssl=True,
    )
    topic.grant_publish(cloudwatch)
    return topic


def _count_entries(
    scope: Construct, machine: str, *, state: str, metric: str, names: Names
) -> None:
    """Count from the log how often a machine enters a state, which ends it as any other end."""
    name = f"{pascal_case(machine)}{pascal_case(metric.removeprefix(f'{machine}-'))}"
    logs.MetricFilter(
        scope,
        name,
        log_group=logs.LogGroup.from_log_group_name(
            scope, f"{name}Log", names.machine_log_group(machine)
        ),
        filter_pattern=logs.FilterPattern.literal(
            f'{{ ($.type = "*StateEntered") && ($.details.name = "{state}") }}'
        ),
        metric_namespace=namespace(names),
        metric_name=metric,
        metric_value="1",
        default_value=0,
    )
