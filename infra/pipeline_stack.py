"""Define the stack of state machines and the rules that start them."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from infra.state_machine import StateMachine
from infra.trigger import Trigger, every, on_event
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names


class PipelineStack(cdk.Stack):
    """One state machine per `*.asl.json`, one rule per `*.trigger.json` and `*.schedule.json`."""

    def __init__(
        self, scope: Construct, stack_id: str, *, blueprint: Blueprint, names: Names
    ) -> None:
        super().__init__(scope, stack_id, description="Matteline: state machines and triggers")
        machines = {
            name: StateMachine(self, name, blueprint=blueprint, names=names)
            for name in blueprint.definitions
        }
        events = {name: on_event(text) for name, text in blueprint.triggers(names).items()}
        clocks = {name: every(rate) for name, rate in blueprint.schedules.items()}
        for name, occasion in {**events, **clocks}.items():
            Trigger(self, name, occasion=occasion, alias=machines[name].alias, names=names)
