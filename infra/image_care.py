"""Live images, looked at and scanned again every day, with an alarm; and builds, rehearsed weekly.

A rehearsal builds the default branch, or the zip that is there: what the next release would be made
of. That it can be built is also how what is live could be mended.
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

# Monday morning: what fails finds people at work.
_WEEKLY: Final = {"week_day": "MON", "hour": "5", "minute": "0"}
_DAILY: Final = {"hour": "5", "minute": "0"}
_ATTEMPTS: Final = 4


class ImageCare(Construct):
    """`watch` is the image-watch function."""

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
        self._lost = sqs.Queue(
            self,
            "Undelivered",
            queue_name=names.undelivered_queue("image-care"),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )
        schedule = events.Schedule.cron(**_DAILY)
        events.Rule(self, "Daily", schedule=schedule, targets=[self._to(watch)])
        self._every_week([*map(self._rehearsal, projects)])
        for name, pattern in _reports().items():
            events.Rule(self, name, event_pattern=pattern, targets=[self._to(watch)])
        _alarm_until_it_is_mended(alarms, names)
        alarms.add(
            "image-care-undelivered",
            undelivered(names, "image-care"),
            above=0,
            meaning="A look at live images, or a rehearsal of their builds, did not begin.",
            section="image-care-undelivered",
        )

    def _every_week(self, wanted: Sequence[events.IRuleTarget]) -> None:
        """A rule has at most five targets."""
        for number in range(0, len(wanted), 5):
            events.Rule(
                self,
                f"Weekly{number // 5 + 1}",
                schedule=events.Schedule.cron(**_WEEKLY),
                targets=list(wanted[number : number + 5]),
            )

    def _to(self, function: lambda_.IFunction) -> events.IRuleTarget:
        return targets.LambdaFunction(
            function, dead_letter_queue=self._lost, retry_attempts=_ATTEMPTS
        )

    def _rehearsal(self, project: codebuild.IProject) -> events.IRuleTarget:
        """Everything a build does but the push, to see that it still can be built."""
        variables = [{"name": "REHEARSAL", "value": "1", "type": "PLAINTEXT"}]
        return targets.CodeBuildProject(
            project,
            event=events.RuleTargetInput.from_object({"environmentVariablesOverride": variables}),
            dead_letter_queue=self._lost,
            retry_attempts=_ATTEMPTS,
        )


def _alarm_until_it_is_mended(alarms: Alarms, names: Names) -> None:
    """Days are midnight to midnight: yesterday's count bridges the hours until today's look."""
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
        meaning="Critical vulnerabilities are known of an image that is live.",
        section="image-vulnerable",
    )


def _reports() -> dict[str, events.EventPattern]:
    """What ECR says after a basic scan, and Inspector of every finding of a continuous one."""
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
