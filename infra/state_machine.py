"""Define one state machine: role, log, a version per change, and alias `live`."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.alarms import Alarms
from infra.asl import placeholders
from infra.metrics import execution_metric
from infra.task_permissions import TaskPermissions
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names

_CANARY_PERCENT: Final = 10
_CANARY_MINUTES: Final = 5
_MOST_FAILED_PERCENT: Final = 50


class StateMachine(Construct):
    """The state machine of file `name`. A new definition is a new version; `live` shifts slowly."""

    def __init__(self, scope: Construct, name: str, *, blueprint: Blueprint, names: Names) -> None:
        super().__init__(scope, name)
        definition = blueprint.definitions[name]
        role = _role(self, names)
        allowed = TaskPermissions(blueprint, names)
        for statement in (*allowed.statements(definition), *allowed.of_maps(name, definition)):
            role.add_to_policy(statement)
        machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=names.machine(name),
            definition_body=sfn.DefinitionBody.from_string(definition),
            definition_substitutions=_substitutions(definition, blueprint, names),
            role=role,
            logs=_logging(self, names.machine_log_group(name)),
            tracing_enabled=True,
        )
        self.alias = _alias(self, machine, _guard(self, names, name))


def _substitutions(definition: str, blueprint: Blueprint, names: Names) -> dict[str, str]:
    """Return exactly the substitutions the definition names: CloudFormation rejects others."""
    provided = blueprint.substitutions(names)
    return {name: provided[name] for name in sorted(placeholders(definition))}


def _role(scope: Construct, names: Names) -> iam.Role:
    return iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal(
            "states.amazonaws.com",
            conditions={
                "StringEquals": {"aws:SourceAccount": names.account},
                "ArnLike": {"aws:SourceArn": f"{names.arn('states')}:*"},
            },
        ),
    )


def _logging(scope: Construct, group: str) -> sfn.LogOptions:
    """Log every event without execution data: photos' jobs are in the jobs table."""
    log = logs.LogGroup(
        scope,
        "Log",
        log_group_name=group,
        retention=logs.RetentionDays.THREE_MONTHS,
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    return sfn.LogOptions(destination=log, level=sfn.LogLevel.ALL, include_execution_data=False)


def _guard(scope: Construct, names: Names, name: str) -> cloudwatch.Alarm:
    """Create the alarm that rolls `live` back to the previous version when most executions fail."""
    ends = {
        "failed": execution_metric(names, name, "ExecutionsFailed", minutes=1),
        "succeeded": execution_metric(names, name, "ExecutionsSucceeded", minutes=1),
    }
    return Alarms(scope, names).add(
        f"{name}-taken-back",
        cloudwatch.MathExpression(
            expression="100 * failed / (failed + FILL(succeeded, 0))",
            using_metrics=ends,
            label="failed, %",
            period=cdk.Duration.minutes(1),
        ),
        above=_MOST_FAILED_PERCENT,
        of_periods=(2, 3),
        meaning=f"Most executions of {name} fail; a canary of a new definition is rolled back.",
        section="definition-taken-back",
    )


def _alias(
    scope: Construct, machine: sfn.StateMachine, guard: cloudwatch.Alarm
) -> sfn.CfnStateMachineAlias:
    version = sfn.CfnStateMachineVersion(
        scope,
        "Version",
        state_machine_arn=machine.state_machine_arn,
        state_machine_revision_id=machine.state_machine_revision_id,
    )
    version.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
    return sfn.CfnStateMachineAlias(
        scope,
        "Live",
        name="live",
        deployment_preference=sfn.CfnStateMachineAlias.DeploymentPreferenceProperty(
            state_machine_version_arn=version.attr_arn,
            type="CANARY",
            percentage=_CANARY_PERCENT,
            interval=_CANARY_MINUTES,
            alarms=[guard.alarm_name],
        ),
    )
