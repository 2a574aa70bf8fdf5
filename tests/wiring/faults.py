"""Find what a deployed stage refers to but lacks, and what its roles may not do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

from pipeline.declared.containers import load_containers
from pipeline.declared.products import load_products
from tests.conftest import ROOT
from tests.wiring.calls import ANYTHING, Pick, calls
from tests.wiring.ministack import MiniStack
from tests.wiring.rights import missing, needed

_PLACEHOLDER: Final = re.compile(r"\$\{\w+\}")
_CONTAINERS: Final = tuple(each.name for each in load_containers(ROOT))
_MACHINES: Final = tuple(each.machine for each in load_products(ROOT))
# By the service in a target's ARN: its parameter name, and the action that the rule's role needs.
# Functions and topics allow the rule by their own policies; MiniStack has no builds.
_PARAMETERS: Final = {"states": "StateMachineArn", "lambda": "FunctionName"}
_STARTED_BY: Final = {"states": "states:StartExecution", "codebuild": "codebuild:StartBuild"}


def faults(cloud: MiniStack, models: Mapping[str, Sequence[str]]) -> list[str]:
    """Return one line per fault; empty if every state and rule reaches its targets.

    `models` are those, by container, whose functions a state may name; a release names a container.
    A state that names a state machine names a product's.
    """
    states = cloud.client("stepfunctions")
    found = list(_rule_faults(cloud))
    for machine in states.list_state_machines()["stateMachines"]:
        described = states.describe_state_machine(stateMachineArn=machine["stateMachineArn"])
        found_here = _machine_faults(described, cloud, _pick(machine["name"], models))
        found += [f"{machine['name']}: {fault}" for fault in found_here]
    return found


def _pick(machine: str, models: Mapping[str, Sequence[str]]) -> Pick:
    """Return which names a machine's states may put into a text."""

    def pick(text: str) -> Sequence[str]:
        if ":stateMachine:" in text:
            return _MACHINES
        if machine.endswith("-release-container"):
            return _CONTAINERS
        of_container = (names for name, names in models.items() if f"-{name}-{{}}" in text)
        return next(of_container, (ANYTHING,))

    return pick


def _machine_faults(machine: Mapping[str, str], cloud: MiniStack, pick: Pick) -> Iterator[str]:
    definition, arn = machine["definition"], machine["stateMachineArn"]
    for left in sorted(set(_PLACEHOLDER.findall(definition))):
        yield f"placeholder {left} is not filled"
    made, ways = list(calls(definition, pick)), _ways_to_find(cloud)
    for parameter, find in ways.items():
        for name in sorted({name for call in made for name in call.texts(parameter)}):
            if not _is_there(find, name):
                yield f"{parameter} {name} does not exist"
    rights = (right for call in made for right in needed(call, arn))
    yield from missing(machine["roleArn"], rights, cloud)


def _rule_faults(cloud: MiniStack) -> Iterator[str]:
    events, ways = cloud.client("events"), _ways_to_find(cloud)
    for rule in events.list_rules()["Rules"]:
        targets = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        if rule["State"] != "ENABLED" or not targets:
            yield f"rule {rule['Name']} has no target or is disabled"
        for target in targets:
            way = ways.get(_PARAMETERS.get(target["Arn"].split(":")[2], ""))
            if way and not _is_there(way, target["Arn"]):
                yield f"rule {rule['Name']} targets {target['Arn']}, which does not exist"
            queue = target.get("DeadLetterConfig", {}).get("Arn", "")
            told_again = {"sns", "logs"} & {target["Arn"].split(":")[2]}
            if not told_again and not _is_there(ways["QueueArn"], queue):
                yield f"rule {rule['Name']} has no dead-letter queue"
            if right := _STARTED_BY.get(target["Arn"].split(":")[2]):
                yield from missing(target["RoleArn"], [(right, target["Arn"])], cloud)


def _ways_to_find(cloud: MiniStack) -> Mapping[str, Callable[[str], Any]]:
    """Return, by parameter name, a call that raises unless the named resource exists."""
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
