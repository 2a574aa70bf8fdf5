"""Rules on how a container is released: not for ever, not unnamed, and by parameters only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.contracts import retry_rules, task_rules
from tests.contracts.asl import Machine, State, fields
from tests.contracts.declared import Declared
from tests.contracts.mutations import add, drop, put, remove
from tests.contracts.retry_rules import ON_FAULT, retries_as_agreed
from tests.contracts.slips import Slip

_UPDATE: Final = "States/UpdateStack/Parameters"
PARAMETERS: Final = ("ImageDigestHex", "ReleaseVersion", "TrafficShift")
ECR_FAULTS: Final = frozenset(
    {
        "Ecr.ServerException",
        "Ecr.ThrottlingException",
        "Ecr.EcrException",
        "Ecr.SdkClientException",
    }
)
# CloudFormation has one name for being busy and for saying no: an update is asked for once.
CLOUDFORMATION_FAULTS: Final[Mapping[str, frozenset[str]]] = {
    "updateStack": frozenset({"CloudFormation.SdkClientException"}),
    "describeStacks": frozenset(
        {"CloudFormation.CloudFormationException", "CloudFormation.SdkClientException"}
    ),
}


def registry_and_stacks_are_retried(machine: Machine, _declared: Declared) -> Iterator[str]:
    for task in machine.tasks:
        if task.service == "aws-sdk:ecr":
            yield from retries_as_agreed(task, dict.fromkeys(ECR_FAULTS, ON_FAULT))
        if task.service == "aws-sdk:cloudformation":
            faults = CLOUDFORMATION_FAULTS.get(_action(task))
            if faults is None:
                yield f"{task.name}: nobody has said how {_action(task)} is retried"
            else:
                yield from retries_as_agreed(task, dict.fromkeys(faults, ON_FAULT))


def a_release_is_parameters(machine: Machine, _declared: Declared) -> Iterator[str]:
    """An update brings every parameter and no template, as a role of its own, once."""
    for task in machine.tasks:
        if _action(task) != "updateStack":
            continue
        given = [each.get("ParameterKey") for each in task.parameters.get("Parameters", ())]
        if given != list(PARAMETERS):
            yield f"{task.name}: gives the parameters {given}"
        if task.parameters.get("UsePreviousTemplate") is not True:
            yield f"{task.name}: does not keep the template"
        for name in sorted({"TemplateURL", "TemplateBody", "Capabilities"} & _names(task)):
            yield f"{task.name}: brings {name}"
        for name in ("RoleARN", "ClientRequestToken", "RollbackConfiguration"):
            if name not in _names(task):
                yield f"{task.name}: no {name}"
        if "${DeployRoleArnPrefix}" not in str(task.parameters.get("RoleARN.$")):
            yield f"{task.name}: works as no deploy role"


def waits_are_counted(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Whoever leads to a Wait asks first how often it has been there."""
    for scope in machine.scopes:
        for state in scope.states.values():
            for rule in state.body.get("Choices", ()):
                target = scope.states.get(rule.get("Next", ""))
                counted = any(name == "NumericLessThan" for name, _ in fields(rule))
                if target and target.type == "Wait" and not counted:
                    yield f"{state.name}: leads to {target.name} however often it has waited"


def releases_end_by_name(machine: Machine, declared: Declared) -> Iterator[str]:
    """Every release error is an end of the machine, and tells its hint where it is worded."""
    used = [(state, _ending(state)) for state in machine.states if _ending(state)]
    for state, name in used:
        if name not in declared.release_hints:
            yield f"{state.name}: {name} is no release error"
        cause = str(state.parameters.get("Cause.$", ""))
        if cause.startswith("States.Format") and declared.release_hints.get(name, "") not in cause:
            yield f"{state.name}: its cause does not tell the hint of {name}"
    for name in sorted(declared.release_hints.keys() - {name for _, name in used}):
        yield f"{machine.name}: nothing ends in {name}"


def _ending(state: State) -> str:
    """The error that a Pass names, for the machine to fail with or to be put into words."""
    return str(state.parameters.get("Error") or state.parameters.get("error") or "")


def _action(task: State) -> str:
    return task.resource.rpartition(":")[2]


def _names(task: State) -> set[str]:
    parameters: Mapping[str, Any] = task.parameters
    return {name.removesuffix(".$") for name in parameters}


RULES: Final = (
    registry_and_stacks_are_retried,
    a_release_is_parameters,
    waits_are_counted,
    releases_end_by_name,
)

SLIPS: Final = (
    Slip(
        registry_and_stacks_are_retried,
        remove("States/FindScan/Retry/0/ErrorEquals", "Ecr.ThrottlingException"),
        "FindScan: Ecr.ThrottlingException is not retried",
    ),
    Slip(
        registry_and_stacks_are_retried,
        add("States/UpdateStack/Retry/0/ErrorEquals", "CloudFormation.CloudFormationException"),
        "UpdateStack: CloudFormation.CloudFormationException is retried, which was not agreed",
    ),
    Slip(
        registry_and_stacks_are_retried,
        put("States/FindStack/Resource", "arn:aws:states:::aws-sdk:cloudformation:deleteStack"),
        "FindStack: nobody has said how deleteStack is retried",
    ),
    Slip(
        a_release_is_parameters,
        put(f"{_UPDATE}/UsePreviousTemplate", value=False),
        "UpdateStack: does not keep the template",
    ),
    Slip(
        a_release_is_parameters,
        put(f"{_UPDATE}/TemplateURL", "https://example.com/template"),
        "UpdateStack: brings TemplateURL",
    ),
    Slip(
        a_release_is_parameters,
        drop(f"{_UPDATE}/RoleARN.$"),
        "UpdateStack: no RoleARN",
    ),
    Slip(
        a_release_is_parameters,
        put(f"{_UPDATE}/RoleARN.$", "$.release.role"),
        "UpdateStack: works as no deploy role",
    ),
    Slip(
        a_release_is_parameters,
        drop(f"{_UPDATE}/Parameters/2"),
        "UpdateStack: gives the parameters ['ImageDigestHex', 'ReleaseVersion']",
    ),
    Slip(
        waits_are_counted,
        drop("States/Settled?/Choices/3/And/1"),
        "Settled?: leads to WaitForStack however often it has waited",
    ),
    Slip(
        releases_end_by_name,
        put("States/RejectVersion/Parameters/Error", "RejectedImage"),
        "RejectVersion: RejectedImage is no release error",
    ),
    Slip(
        releases_end_by_name,
        put("States/NoteStuck/Parameters/error", "RolledBack"),
        "release-container: nothing ends in RollbackFailed",
    ),
    Slip(
        releases_end_by_name,
        put("States/RejectScan/Parameters/Cause.$", "States.Format('no {}', $.scan.status)"),
        "RejectScan: its cause does not tell the hint of RejectedScan",
    ),
    Slip(
        task_rules.functions_exist,
        put("States/JudgeImage/Parameters/FunctionName", "${ReleaseGateArn}:live"),
        "JudgeImage: '${ReleaseGateArn}:live' is an operation's, which has no alias",
    ),
    Slip(
        task_rules.functions_time_out_first,
        put("States/JudgeImage/TimeoutSeconds", 120),
        "JudgeImage: TimeoutSeconds below 135, its function's and 15 more",
    ),
    Slip(
        task_rules.payloads_fit_the_job,
        drop("States/JudgeImage/Parameters/Payload/digest.$"),
        "JudgeImage: the payload lacks 'digest'",
    ),
    Slip(
        task_rules.results_fit_what_is_read,
        put("States/JudgeImage/ResultSelector/passed.$", "$.Payload.good"),
        "JudgeImage: the result has no field at $.Payload.good",
    ),
    Slip(
        task_rules.nobody_is_sent_the_whole_state,
        put("States/JudgeImage/Parameters/Payload/input.$", "$"),
        "JudgeImage: is sent the whole state",
    ),
    Slip(
        task_rules.the_lease_outlives_the_execution,
        put("TimeoutSeconds", 3600),
        "ReadRequest: lease_s is 7200, the machine's TimeoutSeconds 3600",
    ),
    Slip(
        retry_rules.lambda_is_retried,
        add("States/JudgeImage/Retry/1/ErrorEquals", "StoreUnavailable"),
        "JudgeImage: StoreUnavailable is retried, which was not agreed",
    ),
)
