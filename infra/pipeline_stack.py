"""The state machines, and the events that start them."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from infra.state_machine import StateMachine
from infra.trigger import Trigger
from pipeline.blueprint import Blueprint
from pipeline.names import Names


class PipelineStack(cdk.Stack):
    """Every `state_machines/*.asl.json` and every `*.trigger.json`, whatever their number."""

    def __init__(
        self, scope: Construct, stack_id: str, *, blueprint: Blueprint, names: Names
    ) -> None:
        super().__init__(scope, stack_id, description="Matteline: state machines and triggers")
        machines = {
            name: StateMachine(self, name, blueprint=blueprint, names=names)
            for name in blueprint.definitions
        }
        for name, pattern in blueprint.triggers(names).items():
            Trigger(self, name, pattern=pattern, alias=machines[name].alias, names=names)
