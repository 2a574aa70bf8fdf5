"""Scan live images again every day, with an alarm, and rehearse their builds every week.

A rehearsal builds the default branch, or the uploaded zip, without a push. It shows that a fix for
a live image could be built.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.alarms import Alarms
from infra.metrics import namespace, undelivered
from pipeline.declared.names import PROJECT, Names
from pipeline.functions.image_watch.findings import METRIC

# Monday at 05:00 UTC, so that people are at work when a build fails.
_WEEKLY: Final = {"week_day": "MON", "hour": "5", "minute": "0"}
_DAILY: Final = {"hour": "5", "minute": "0"}
_ATTEMPTS: Final = 4


class ImageCare(Construct):
    """Schedules and alarms for live images. `watch` is the image-watch function."""

    def __init__(
        self,
        scope: Construct,
        *,
        watch: lambda_.IFunction,
        projects: Sequence[codebuild.IProject],
        names: Names,
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, "ImageCare")
        self._dead_letters = sqs.Queue(
            self,
            "Undelivered",
            queue_name=names.undelivered_queue("image-care"),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )
        schedule = events.Schedule.cron(**_DAILY)
        events.Rule(self, "Daily", schedule=schedule, targets=[self._to(watch)])
        self._rehearse_weekly([*map(self._rehearsal, projects)])
        for name, pattern in _reports().items():
            events.Rule(self, name, event_pattern=pattern, targets=[self._to(watch)])
        _add_vulnerability_alarm(alarms, names)
        alarms.add(
            "image-care-undelivered",
            undelivered(names, "image-care"),
            above=0,
            meaning="A daily scan of live images, or a weekly build rehearsal, did not start.",
            section="image-care-undelivered",
        )

    def _rehearse_weekly(self, rehearsals: Sequence[events.IRuleTarget]) -> None:
        """Split the targets over several rules: a rule has at most five."""
        for number in range(0, len(rehearsals), 5):
            events.Rule(
                self,
                f"Weekly{number // 5 + 1}",
                schedule=events.Schedule.cron(**_WEEKLY),
                targets=list(rehearsals[number : number + 5]),
            )

    def _to(self, function: lambda_.IFunction) -> events.IRuleTarget:
        return targets.LambdaFunction(
            function, dead_letter_queue=self._dead_letters, retry_attempts=_ATTEMPTS
        )

    def _rehearsal(self, project: codebuild.IProject) -> events.IRuleTarget:
        """Run a build without its push, to show that the image can still be built."""
        variables = [{"name": "REHEARSAL", "value": "1", "type": "PLAINTEXT"}]
        return targets.CodeBuildProject(
            project,
            event=events.RuleTargetInput.from_object({"environmentVariablesOverride": variables}),
            dead_letter_queue=self._dead_letters,
            retry_attempts=_ATTEMPTS,
        )


def _add_vulnerability_alarm(alarms: Alarms, names: Names) -> None:
    """Alarm on today's or yesterday's count: today's is missing until the daily scan has run."""
    alarms.add(
        METRIC,
        cloudwatch.Metric(
            namespace=namespace(names),
            metric_name=METRIC,
            statistic="Maximum",
            period=cdk.Duration.days(1),
        ),
        above=0,
        of_periods=(1, 2),
        meaning="A live image has critical vulnerabilities without a waiver.",
        section="image-vulnerable",
    )


def _reports() -> dict[str, events.EventPattern]:
    """Match ECR's report of a basic scan and Inspector's finding of a continuous one."""
    ours = [{"prefix": f"{PROJECT}/"}]
    some: list[Any] = [{"numeric": [">", 0]}]
    return {
        "BasicReports": events.EventPattern(
            source=["aws.ecr"],
            detail_type=["ECR Image Scan"],
            detail={"repository-name": ours, "finding-severity-counts": {"CRITICAL": some}},
        ),
        "EnhancedReports": events.EventPattern(
            source=["aws.inspector2"],
            detail_type=["Inspector2 Finding"],
            detail={
                "severity": ["CRITICAL"],
                "status": ["ACTIVE"],
                "resources": {"details": {"awsEcrContainerImage": {"repositoryName": ours}}},
            },
        ),
    }
