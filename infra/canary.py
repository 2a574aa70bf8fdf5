"""Shift traffic to a new function version gradually, and roll back at the first alarm."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.alarms import Alarms
from infra.l1 import resource_of
from infra.release import Release
from pipeline.declared.names import Names

_ERROR_PERCENT: Final = 5
_OF_TIMEOUT: Final = 0.8  # a p99 above this share of the timeout warns of timeouts
_THROTTLES: Final = 10
_MINUTE: Final = cdk.Duration.minutes(1)


_WATCHED: Final = ("errors", "slowness", "throttles")


def alarm_names(function_name: str) -> tuple[str, ...]:
    """Return the names of the alarms that watch a new version of the function."""
    return tuple(f"{function_name}-{kind}" for kind in _WATCHED)


class Canary(Construct):
    """An alias's deployment group and its alarms, which need only the function's name."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function_name: str,
        names: Names,
        timeout_s: int,
        alias: lambda_.Alias,
        application: codedeploy.ILambdaApplication,
        role: iam.IRole,
        release: Release,
        smoke_hook: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._function_name = function_name
        self._label = function_name.removeprefix(f"{names.prefix}-")
        self._alarms = Alarms(self, names)
        self._alias_name = alias.alias_name
        group = codedeploy.LambdaDeploymentGroup(
            self,
            "Group",
            deployment_group_name=function_name,
            application=application,
            alias=alias,
            role=role,
            deployment_config=codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
            alarms=[self._errors(), self._slowness(timeout_s), self._throttles()],
            auto_rollback=codedeploy.AutoRollbackConfig(
                failed_deployment=True, stopped_deployment=True, deployment_in_alarm=True
            ),
        )
        _roll_back_at_once(group, release)
        _smoke_test_first(alias, group, smoke_hook)
        alias.node.add_dependency(group)  # update the group before traffic shifts

    def _errors(self) -> cloudwatch.Alarm:
        """Alarm on the percentage of failed calls, without those the metric `refused` counts."""
        rate = cloudwatch.MathExpression(
            expression="IF(calls > 0, 100 * (errors - FILL(refused, 0)) / calls, 0)",
            using_metrics={
                "calls": self._metric("Invocations", "Sum"),
                "errors": self._metric("Errors", "Sum"),
                "refused": cloudwatch.Metric(
                    namespace="Matteline",
                    metric_name="refused",
                    dimensions_map={"function_name": self._function_name},
                    statistic="Sum",
                    period=_MINUTE,
                ),
            },
            period=_MINUTE,
            label="failed, %",
        )
        return self._alarms.add(
            f"{self._label}-errors",
            rate,
            above=_ERROR_PERCENT,
            of_periods=(2, 3),
            meaning="More than 5% of calls fail, not counting permanent errors and weights waits.",
            section="function-errors",
        )

    def _slowness(self, timeout_s: int) -> cloudwatch.Alarm:
        limit_ms = _OF_TIMEOUT * timeout_s * 1000
        return self._alarms.add(
            f"{self._label}-slowness",
            self._metric("Duration", "p99"),
            above=limit_ms,
            of_periods=(2, 3),
            meaning="The slowest 1% of calls exceed 80% of the function's timeout.",
            section="function-slowness",
        )

    def _throttles(self) -> cloudwatch.Alarm:
        return self._alarms.add(
            f"{self._label}-throttles",
            self._metric("Throttles", "Sum"),
            above=_THROTTLES,
            of_periods=(3, 3),
            meaning="Lambda throttles calls of the function.",
            section="function-throttles",
        )

    def _metric(self, name: str, statistic: str) -> cloudwatch.Metric:
        """Return an alias metric by name: its alarm may exist before the function does."""
        resource = f"{self._function_name}:{self._alias_name}"
        return cloudwatch.Metric(
            namespace="AWS/Lambda",
            metric_name=name,
            dimensions_map={"FunctionName": self._function_name, "Resource": resource},
            statistic=statistic,
            period=_MINUTE,
        )


def _smoke_test_first(
    alias: lambda_.Alias, group: codedeploy.LambdaDeploymentGroup, smoke_hook: str
) -> None:
    """Have CodeDeploy call the smoke-test hook before it shifts traffic to the new version."""
    resource_of(alias, lambda_.CfnAlias).cfn_options.update_policy = cdk.CfnUpdatePolicy(
        code_deploy_lambda_alias_update=cdk.CfnCodeDeployLambdaAliasUpdate(
            application_name=group.application.application_name,
            deployment_group_name=group.deployment_group_name,
            before_allow_traffic_hook=smoke_hook,
        )
    )


def _roll_back_at_once(group: codedeploy.LambdaDeploymentGroup, release: Release) -> None:
    """Make a rollback shift all traffic at once and ignore alarms the bad version raised."""
    made = resource_of(group, codedeploy.CfnDeploymentGroup)
    at_once = release.at_once.logical_id
    canary = codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES
    all_at_once = codedeploy.LambdaDeploymentConfig.ALL_AT_ONCE
    made.deployment_config_name = cdk.Fn.condition_if(
        at_once, all_at_once.deployment_config_name, canary.deployment_config_name
    ).to_string()
    alarms_enabled = cdk.Fn.condition_if(at_once, False, True)
    made.add_property_override("AlarmConfiguration.Enabled", alarms_enabled)
