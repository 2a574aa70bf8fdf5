"""Whatever a deployed stage names and does not have, or reaches for and may not have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

from pipeline.declared.containers import load_containers
from pipeline.declared.products import load_products
from tests.conftest import ROOT
from tests.wiring.calls import calls
from tests.wiring.ministack import MiniStack
from tests.wiring.rights import missing, needed

_PLACEHOLDER: Final = re.compile(r"\$\{\w+\}")
_PICKED: Final = {
    "-release-container": tuple(each.name for each in load_containers(ROOT)),
    "-backfill": tuple(each.machine for each in load_products(ROOT)),
}
# By the service in a target's ARN: how it is looked for, and what the rule's role needs. Functions
# and topics allow the rule themselves; MiniStack has no builds.
_PARAMETERS: Final = {"states": "StateMachineArn", "lambda": "FunctionName"}
_STARTED_BY: Final = {"states": "states:StartExecution", "codebuild": "codebuild:StartBuild"}


def faults(cloud: MiniStack, models: Sequence[str]) -> list[str]:
    """One line each; none if every state and every rule reaches what it names.

    `models` are those whose functions a state may pick by name; a release picks a container, and a
    backfill a product's machine.
    """
    states = cloud.client("stepfunctions")
    found = list(_rule_faults(cloud))
    for machine in states.list_state_machines()["stateMachines"]:
        described = states.describe_state_machine(stateMachineArn=machine["stateMachineArn"])
        picked = next(
            (names for end, names in _PICKED.items() if machine["name"].endswith(end)), models
        )
        told = _machine_faults(described, cloud, picked)
        found += [f"{machine['name']}: {fault}" for fault in told]
    return found


def _machine_faults(
    machine: Mapping[str, str], cloud: MiniStack, picked: Sequence[str]
) -> Iterator[str]:
    definition, arn = machine["definition"], machine["stateMachineArn"]
    for left in sorted(set(_PLACEHOLDER.findall(definition))):
        yield f"nothing was put in the place of {left}"
    made, ways = list(calls(definition, picked)), _ways_to_find(cloud)
    for parameter, find in ways.items():
        for name in sorted({name for call in made for name in call.texts(parameter)}):
            if not _is_there(find, name):
                yield f"there is no {parameter} {name}"
    rights = (right for call in made for right in needed(call, arn))
    yield from missing(machine["roleArn"], rights, cloud)


def _rule_faults(cloud: MiniStack) -> Iterator[str]:
    events, ways = cloud.client("events"), _ways_to_find(cloud)
    for rule in events.list_rules()["Rules"]:
        targets = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        if rule["State"] != "ENABLED" or not targets:
            yield f"rule {rule['Name']} starts nothing"
        for target in targets:
            way = ways.get(_PARAMETERS.get(target["Arn"].split(":")[2], ""))
            if way and not _is_there(way, target["Arn"]):
                yield f"rule {rule['Name']} aims at {target['Arn']}, which is not there"
            queue = target.get("DeadLetterConfig", {}).get("Arn", "")
            if ":sns:" not in target["Arn"] and not _is_there(ways["QueueArn"], queue):
                yield f"rule {rule['Name']} has nowhere to leave what it cannot deliver"
            if right := _STARTED_BY.get(target["Arn"].split(":")[2]):
                yield from missing(target["RoleArn"], [(right, target["Arn"])], cloud)


def _ways_to_find(cloud: MiniStack) -> Mapping[str, Callable[[str], Any]]:
    """Parameter of a call → what fails unless there is what the parameter names."""
    functions, states = cloud.client("lambda"), cloud.client("stepfunctions")
    tables, s3, queues = cloud.client("dynamodb"), cloud.client("s3"), cloud.client("sqs")
    return {
        "FunctionName": lambda arn: functions.get_function(FunctionName=arn),
        "StateMachineArn": lambda arn: states.describe_state_machine_alias(
            stateMachineAliasArn=arn
        ),
        "TableName": lambda name: tables.describe_table(TableName=name),
        "Bucket": lambda name: s3.head_bucket(Bucket=name),
        "QueueArn": lambda arn: queues.get_queue_url(QueueName=arn.rpartition(":")[2]),
    }


def _is_there(find: Callable[[str], Any], name: str) -> bool:
    try:
        find(name)
    except ClientError:
        return False
    return True
