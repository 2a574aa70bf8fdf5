"""Create alarms, each with a meaning, a runbook section and a notification."""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from pipeline.declared.declaration import pascal_case
from pipeline.declared.names import Names

RUNBOOK: Final = "docs/runbook.md"


class Alarms(Construct):
    """The alarms of a stack. They name their SNS topic, so that no stack depends on it."""

    def __init__(self, scope: Construct, names: Names) -> None:
        super().__init__(scope, "Alarms")
        self._names = names
        topic = sns.Topic.from_topic_arn(self, "Topic", names.alarm_topic_arn())
        self._notify = actions.SnsAction(topic)

    def add(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        *,
        above: float,
        meaning: str,
        section: str,
        of_periods: tuple[int, int] = (1, 1),
    ) -> cloudwatch.Alarm:
        """Add an alarm for M of N periods above the threshold; missing data counts as OK."""
        datapoints, periods = of_periods
        alarm = cloudwatch.Alarm(
            self,
            pascal_case(name),
            alarm_name=f"{self._names.prefix}-{name}",
            alarm_description=f"{meaning} What to do: {RUNBOOK}, section `{section}`.",
            metric=metric,
            threshold=above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            datapoints_to_alarm=datapoints,
            evaluation_periods=periods,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(self._notify)
        alarm.add_ok_action(self._notify)
        return alarm
