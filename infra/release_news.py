"""Where people hear of releases: a topic for the good news, the bad news, and builds that broke."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from pipeline.names import Names

_MACHINE: Final = "release-container"


class ReleaseNews(Construct):
    """Every end of a release and of a build that is not a success, as its event has it."""

    def __init__(self, scope: Construct, *, names: Names, email: str | None) -> None:
        super().__init__(scope, "News")
        topic = _topic(self, names)
        if email:
            topic.add_subscription(subscriptions.EmailSubscription(email))
        for name, pattern in _patterns(names).items():
            events.Rule(self, name, event_pattern=pattern, targets=[targets.SnsTopic(topic)])


def _patterns(names: Names) -> dict[str, events.EventPattern]:
    broken = ["FAILED", "FAULT", "TIMED_OUT", "STOPPED"]
    # What the machine announces itself is left to its own words.
    crashed = ["TIMED_OUT", "ABORTED"]
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
        "Crashes": events.EventPattern(
            source=["aws.states"],
            detail_type=["Step Functions Execution Status Change"],
            detail={
                "status": crashed,
                "stateMachineArn": [names.unqualified_machine_arn(_MACHINE)],
            },
        ),
    }


def _topic(scope: Construct, names: Names) -> sns.Topic:
    """Its key lets EventBridge in, which the one AWS manages would not."""
    bridge = iam.ServicePrincipal(
        "events.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": names.account}}
    )
    key = kms.Key(
        scope,
        "Key",
        alias=f"alias/{names.release_topic()}",
        description="What is said of releases on its way to whoever listens",
        enable_key_rotation=True,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    key.grant(bridge, "kms:Decrypt", "kms:GenerateDataKey*")
    return sns.Topic(
        scope,
        "Topic",
        topic_name=names.release_topic(),
        display_name="Matteline releases",
        master_key=key,
        enforce_ssl=True,
    )
