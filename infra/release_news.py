"""Publish the outcome of every release, and failed builds, to an SNS topic."""

from __future__ import annotations

from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from pipeline.declared.names import Names
from pipeline.errors import leaf_names
from pipeline.releases.errors import ReleaseError

_MACHINE: Final = "release-container"


class ReleaseNews(Construct):
    """The topic and the rules that send it release outcomes, failed builds and machine failures."""

    def __init__(self, scope: Construct, *, names: Names, email: str | None) -> None:
        super().__init__(scope, "News")
        topic = _topic(self, names)
        if email:
            topic.add_subscription(subscriptions.EmailSubscription(email))
        for name, pattern in _patterns(names).items():
            events.Rule(self, name, event_pattern=pattern, targets=[targets.SnsTopic(topic)])


def _patterns(names: Names) -> dict[str, events.EventPattern]:
    broken = ["FAILED", "FAULT", "TIMED_OUT", "STOPPED"]
    announced = sorted(leaf_names(ReleaseError))
    return {
        "Releases": events.EventPattern(
            source=["matteline"], detail_type=["Container Released", "Container Not Released"]
        ),
        "Builds": events.EventPattern(
            source=["aws.codebuild"],
            detail_type=["CodeBuild Build State Change"],
            detail={
                "build-status": broken,
                "project-name": [{"prefix": names.build_project("")}],
            },
        ),
        "Crashes": _machine_ended(names, status=["TIMED_OUT", "ABORTED"]),
        # The machine announces its own named errors itself.
        "Slips": _machine_ended(names, status=["FAILED"], error=[{"anything-but": announced}]),
    }


def _machine_ended(names: Names, **how: Any) -> events.EventPattern:  # noqa: ANN401 - any pattern
    return events.EventPattern(
        source=["aws.states"],
        detail_type=["Step Functions Execution Status Change"],
        detail={**how, "stateMachineArn": [names.unqualified_machine_arn(_MACHINE)]},
    )


def _topic(scope: Construct, names: Names) -> sns.Topic:
    """Create a topic with its own key: the AWS managed key does not admit EventBridge.

    CDK's target grants EventBridge the key without a condition: SNS supports none for EventBridge
    and an encrypted topic.
    """
    key = kms.Key(
        scope,
        "Key",
        alias=f"alias/{names.release_topic()}",
        description="Encrypts release notifications",
        enable_key_rotation=True,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    return sns.Topic(
        scope,
        "Topic",
        topic_name=names.release_topic(),
        display_name="Matteline releases",
        master_key=key,
        enforce_ssl=True,
    )
