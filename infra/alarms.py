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
        return self._add(
            name,
            metric,
            threshold=above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            meaning=meaning,
            section=section,
            of_periods=of_periods,
        )

    def add_expectation(
        self, name: str, metric: cloudwatch.IMetric, *, meaning: str, section: str
    ) -> cloudwatch.Alarm:
        """Add an alarm for a period in which something did not happen once."""
        return self._add(
            name,
            metric,
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
            meaning=meaning,
            section=section,
            of_periods=(1, 1),
        )

    def _add(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        *,
        threshold: float,
        comparison_operator: cloudwatch.ComparisonOperator,
        treat_missing_data: cloudwatch.TreatMissingData,
        meaning: str,
        section: str,
        of_periods: tuple[int, int],
    ) -> cloudwatch.Alarm:
        datapoints, periods = of_periods
        alarm = cloudwatch.Alarm(
            self,
            pascal_case(name),
            alarm_name=f"{self._names.prefix}-{name}",
            alarm_description=f"{meaning} What to do: {RUNBOOK}, section `{section}`.",
            metric=metric,
            threshold=threshold,
            comparison_operator=comparison_operator,
            datapoints_to_alarm=datapoints,
            evaluation_periods=periods,
            treat_missing_data=treat_missing_data,
        )
        alarm.add_alarm_action(self._notify)
        alarm.add_ok_action(self._notify)
        return alarm
