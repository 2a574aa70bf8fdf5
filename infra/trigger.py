"""Define an event or schedule rule that starts a state machine, with a dead-letter queue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from pipeline.declared.names import Names

_GIVE_UP_AFTER_S: Final = 3600
_ATTEMPTS: Final = 8


def on_event(pattern: str) -> dict[str, Any]:
    """Return the rule properties for an event pattern."""
    return {"event_pattern": json.loads(pattern)}


def every(rate: str) -> dict[str, Any]:
    """Return the rule properties for a rate such as `15 minutes`."""
    return {"schedule_expression": f"rate({rate})"}


class Trigger(Construct):
    """A rule that starts the machine's alias with the whole event as its input."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        occasion: Mapping[str, Any],
        alias: sfn.CfnStateMachineAlias,
        names: Names,
    ) -> None:
        super().__init__(scope, f"{name}-trigger")
        undelivered = sqs.Queue(
            self,
            "Undelivered",
            queue_name=names.undelivered_queue(name),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )
        rule = events.CfnRule(
            self,
            "Rule",
            name=names.machine(name),
            state="ENABLED",
            **occasion,
            targets=[
                events.CfnRule.TargetProperty(
                    id="machine",
                    arn=alias.attr_arn,
                    role_arn=_starter(self, alias, names).role_arn,
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=_GIVE_UP_AFTER_S,
                        maximum_retry_attempts=_ATTEMPTS,
                    ),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                        arn=undelivered.queue_arn
                    ),
                )
            ],
        )
        _admit_rule(undelivered, rule)


def _starter(scope: Construct, alias: sfn.CfnStateMachineAlias, names: Names) -> iam.Role:
    role = iam.Role(
        scope,
        "Starter",
        assumed_by=iam.ServicePrincipal(
            "events.amazonaws.com",
            conditions={"StringEquals": {"aws:SourceAccount": names.account}},
        ),
    )
    role.add_to_policy(
        iam.PolicyStatement(actions=["states:StartExecution"], resources=[alias.attr_arn])
    )
    return role


def _admit_rule(queue: sqs.Queue, rule: events.CfnRule) -> None:
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["sqs:SendMessage"],
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            resources=[queue.queue_arn],
            conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
        )
    )
