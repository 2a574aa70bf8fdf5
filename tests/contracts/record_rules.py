"""Rules on output records: a product's machine leaves no other job's and no outdated result."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from pipeline.contracts.contract import PublishedJob
from tests.contracts.asl import Machine, Scope, State
from tests.contracts.declared import Declared

CLAIM: Final = "Claim"
PUBLISH: Final = "PublishRecord"
MISSING: Final = "S3.NoSuchKeyException"
_HELD_BY_ANOTHER: Final = "DynamoDB.ConditionalCheckFailedException"
_RUNNING: Final = {"StringEquals": "RUNNING"}
_OWN_JOB: Final = {"StringEqualsPath": "$.job.job_id"}


def duplicates_have_their_result(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Where a claim is refused, the execution succeeds only if the job's own result is published.

    That is: its record is read and compared, and the outputs that the record names are looked for.
    Only if the first execution still runs, there is nothing to read yet.
    """
    scope, entry = _without_running(machine), _refused(machine)
    back = {CLAIM, entry}
    records = _readers(scope)
    comparing = {name for name, state in scope.states.items() if _rules(state, _OWN_JOB)}
    finding = {name for name, state in scope.states.items() if _finds_outputs(state)}
    if not finding:
        yield f"{machine.name}: the outputs that a record names are not looked for"
    if _succeeds(scope, [entry], avoiding={CLAIM, *records}):
        yield f"{CLAIM}: a duplicate may end without its record being read"
    for name in sorted(records):
        after = [scope.states[name].body.get("Next", "")]
        if _succeeds(scope, after, avoiding={*back, *comparing}):
            yield f"{name}: a duplicate may end without its record being compared"
    for name in sorted(comparing):
        if _succeeds(scope, [scope.states[name].body["Default"]], avoiding=back):
            yield f"{name}: a duplicate may end with another job's record"
    for name in sorted({*records, *finding}):
        caught = [each["Next"] for each in scope.states[name].catchers if MISSING in _names(each)]
        if not caught:
            yield f"{name}: {MISSING} is not caught"
        if _succeeds(scope, caught, avoiding=back):
            yield f"{name}: a duplicate may end without its result"


def records_name_their_outputs(machine: Machine, _declared: Declared) -> Iterator[str]:
    body = _scope(machine).states[PUBLISH].parameters.get("Body", {})
    if "outputs.$" not in body:
        yield f"{PUBLISH}: the record does not name its outputs"


def sources_are_the_latest_when_published(machine: Machine, declared: Declared) -> Iterator[str]:
    """The last task before the record is told whether its job follows the latest version."""
    scope = _scope(machine)
    tasks = {task.name for task in machine.lambda_tasks} & scope.states.keys()
    for name in sorted(tasks):
        task = scope.states[name]
        ahead = set().union(
            *(scope.reachable(each, avoiding=tasks) for each in task.targets if each not in tasks)
        )
        if PUBLISH not in ahead:
            continue
        pair = declared.task_of(task)
        if pair is None or not issubclass(pair.job, PublishedJob):
            yield f"{name}: is the last task, and its job is no PublishedJob"
        if task.payload.get("follows_latest.$") != "$.job.follows_latest":
            yield f"{name}: is the last task, and is not told whether to follow the latest version"


def _scope(machine: Machine) -> Scope:
    return machine.scopes[0]


def _without_running(machine: Machine) -> Scope:
    """The machine's own states without the choice of those whose first execution runs."""
    states = {
        name: {**body, "Choices": [rule for rule in body["Choices"] if not _has(rule, _RUNNING)]}
        if "Choices" in body
        else body
        for name, body in machine.definition["States"].items()
    }
    return Scope(machine.name, {**machine.definition, "States": states})


def _refused(machine: Machine) -> str:
    (entry,) = (
        str(each["Next"])
        for each in _scope(machine).states[CLAIM].catchers
        if _HELD_BY_ANOTHER in _names(each)
    )
    return entry


def _readers(scope: Scope) -> set[str]:
    """The states that read the very object that `PublishRecord` writes."""
    place = _place(scope.states[PUBLISH])
    return {
        name
        for name, state in scope.states.items()
        if state.resource.endswith("aws-sdk:s3:getObject") and _place(state) == place
    }


def _place(state: State) -> tuple[Any, Any]:
    return state.parameters.get("Bucket"), state.parameters.get("Key.$")


def _finds_outputs(state: State) -> bool:
    return state.type == "Map" and str(state.body.get("ItemsPath", "")).endswith(".record.outputs")


def _rules(state: State, test: dict[str, str]) -> list[Any]:
    return [rule for rule in state.body.get("Choices", ()) if _has(rule, test)]


def _has(rule: Any, test: dict[str, str]) -> bool:
    parts = [rule, *rule.get("And", ())]
    return any(test.items() <= part.items() for part in parts)


def _names(catcher: Any) -> frozenset[str]:
    return frozenset(catcher["ErrorEquals"])


def _succeeds(scope: Scope, starts: Collection[str], *, avoiding: Collection[str]) -> bool:
    ends = (end for start in starts for end in scope.ends(start, avoiding=avoiding))
    return any(end.type != "Fail" for end in ends)


OF_PRODUCTS: Final = (
    duplicates_have_their_result,
    records_name_their_outputs,
    sources_are_the_latest_when_published,
)
