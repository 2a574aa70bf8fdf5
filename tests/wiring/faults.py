"""Whatever a deployed stage names and does not have."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

from tests.wiring.ministack import MiniStack

_PLACEHOLDER: Final = re.compile(r"\$\{\w+\}")
_FORMAT: Final = re.compile(r"States\.Format\('([^']+)'")


def faults(cloud: MiniStack, models: list[str]) -> list[str]:
    """One line each; none if every state and every rule reaches what it is to reach.

    `models` are those whose functions a state may pick by name.
    """
    states = cloud.client("stepfunctions")
    found = list(_rule_faults(cloud))
    for machine in states.list_state_machines()["stateMachines"]:
        arn = machine["stateMachineArn"]
        definition = states.describe_state_machine(stateMachineArn=arn)["definition"]
        found += [
            f"{machine['name']}: {fault}" for fault in _machine_faults(definition, cloud, models)
        ]
    return found


def _machine_faults(definition: str, cloud: MiniStack, models: list[str]) -> Iterator[str]:
    for left in sorted(set(_PLACEHOLDER.findall(definition))):
        yield f"nothing was put in the place of {left}"
    ways = _ways_to_find(cloud)
    for parameter, text in _parameters(json.loads(definition)):
        names = [text.replace("{}", model) for model in models] if "{}" in text else [text]
        for name in names:
            if parameter in ways and not _is_there(ways[parameter], name):
                yield f"there is no {parameter} {name}"


def _rule_faults(cloud: MiniStack) -> Iterator[str]:
    events, find = cloud.client("events"), _ways_to_find(cloud)
    for rule in events.list_rules()["Rules"]:
        targets = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        if rule["State"] != "ENABLED" or not targets:
            yield f"rule {rule['Name']} starts nothing"
        for target in targets:
            if not _is_there(find["StateMachineArn"], target["Arn"]):
                yield f"rule {rule['Name']} aims at {target['Arn']}, which is not there"
            if not _is_there(find["Role"], target["RoleArn"].rpartition("/")[2]):
                yield f"rule {rule['Name']} has no role {target['RoleArn']}"


def _ways_to_find(cloud: MiniStack) -> dict[str, Callable[[str], Any]]:
    """Task parameter → a call that fails unless there is what the parameter names."""
    functions, states = cloud.client("lambda"), cloud.client("stepfunctions")
    tables, s3, iam = cloud.client("dynamodb"), cloud.client("s3"), cloud.client("iam")
    return {
        "FunctionName": lambda arn: functions.get_function(FunctionName=arn),
        "StateMachineArn": lambda arn: states.describe_state_machine_alias(
            stateMachineAliasArn=arn
        ),
        "TableName": lambda name: tables.describe_table(TableName=name),
        "Bucket": lambda name: s3.head_bucket(Bucket=name),
        "Role": lambda name: iam.get_role(RoleName=name),
    }


def _is_there(find: Callable[[str], Any], name: str) -> bool:
    try:
        find(name)
    except ClientError:
        return False
    return True


def _parameters(node: Any) -> Iterator[tuple[str, str]]:
    """Every named text below `node`; what is put together at run time as `a-{}`."""
    for name, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(value, dict | list):
            yield from _parameters(value)
        elif isinstance(value, str):
            template = _FORMAT.match(value)
            yield str(name).removesuffix(".$"), template[1] if template else value
