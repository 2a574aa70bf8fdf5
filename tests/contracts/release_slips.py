"""Slips in the release machine, each with what a rule has to say."""

from __future__ import annotations

from functools import partial
from typing import Final

from tests.contracts import release_rules, retry_rules, task_rules
from tests.contracts.mutations import add, drop, put, remove
from tests.contracts.slips import Slip

_Slip: Final = partial(Slip, machine=release_rules.MACHINE)
_UPDATE: Final = "States/UpdateStack/Parameters"

RELEASES: Final = (
    _Slip(
        release_rules.registry_and_stacks_are_retried,
        remove("States/FindScan/Retry/0/ErrorEquals", "Ecr.ThrottlingException"),
        "FindScan: Ecr.ThrottlingException is not retried",
    ),
    _Slip(
        release_rules.registry_and_stacks_are_retried,
        add("States/UpdateStack/Retry/0/ErrorEquals", "CloudFormation.CloudFormationException"),
        "UpdateStack: CloudFormation.CloudFormationException is retried, which was not agreed",
    ),
    _Slip(
        release_rules.registry_and_stacks_are_retried,
        put("States/FindStack/Resource", "arn:aws:states:::aws-sdk:cloudformation:deleteStack"),
        "FindStack: nobody has said how deleteStack is retried",
    ),
    _Slip(
        release_rules.a_release_is_parameters,
        put(f"{_UPDATE}/UsePreviousTemplate", value=False),
        "UpdateStack: does not keep the template",
    ),
    _Slip(
        release_rules.a_release_is_parameters,
        put(f"{_UPDATE}/TemplateURL", "https://example.com/template"),
        "UpdateStack: brings TemplateURL",
    ),
    _Slip(
        release_rules.a_release_is_parameters,
        drop(f"{_UPDATE}/RoleARN.$"),
        "UpdateStack: no RoleARN",
    ),
    _Slip(
        release_rules.a_release_is_parameters,
        put(f"{_UPDATE}/RoleARN.$", "$.release.role"),
        "UpdateStack: works as no deploy role",
    ),
    _Slip(
        release_rules.a_release_is_parameters,
        drop(f"{_UPDATE}/Parameters/2"),
        "UpdateStack: gives the parameters ['ImageDigestHex', 'ReleaseVersion']",
    ),
    _Slip(
        release_rules.waits_are_counted,
        drop("States/Settled?/Choices/3/And/1"),
        "Settled?: leads to WaitForStack however often it has waited",
    ),
    _Slip(
        release_rules.releases_end_by_name,
        put("States/RejectVersion/Parameters/Error", "RejectedImage"),
        "RejectVersion: RejectedImage is no release error",
    ),
    _Slip(
        release_rules.releases_end_by_name,
        put("States/NoteStuck/Parameters/error", "RolledBack"),
        "release-container: nothing ends in RollbackFailed",
    ),
    _Slip(
        release_rules.releases_end_by_name,
        put("States/RejectScan/Parameters/Cause.$", "States.Format('no {}', $.scan.status)"),
        "RejectScan: its cause does not tell the hint of RejectedScan",
    ),
    _Slip(
        task_rules.functions_exist,
        put("States/JudgeImage/Parameters/FunctionName", "${ReleaseGateArn}:live"),
        "JudgeImage: '${ReleaseGateArn}:live' is an operation's, which has no alias",
    ),
    _Slip(
        task_rules.functions_time_out_first,
        put("States/JudgeImage/TimeoutSeconds", 120),
        "JudgeImage: TimeoutSeconds below 135, its function's and 15 more",
    ),
    _Slip(
        task_rules.payloads_fit_the_job,
        drop("States/JudgeImage/Parameters/Payload/digest.$"),
        "JudgeImage: the payload lacks 'digest'",
    ),
    _Slip(
        task_rules.results_fit_what_is_read,
        put("States/JudgeImage/ResultSelector/passed.$", "$.Payload.good"),
        "JudgeImage: the result has no field at $.Payload.good",
    ),
    _Slip(
        task_rules.nobody_is_sent_the_whole_state,
        put("States/JudgeImage/Parameters/Payload/input.$", "$"),
        "JudgeImage: is sent the whole state",
    ),
    _Slip(
        task_rules.the_lease_outlives_the_execution,
        put("TimeoutSeconds", 3600),
        "ReadRequest: lease_s is 7200, the machine's TimeoutSeconds 3600",
    ),
    _Slip(
        retry_rules.lambda_is_retried,
        add("States/JudgeImage/Retry/1/ErrorEquals", "StoreUnavailable"),
        "JudgeImage: StoreUnavailable is retried, which was not agreed",
    ),
)
