"""Rules on forgetting: it ends when no job is at work, and leaves nothing but counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipeline.functions.photo_forgetter.contract import PhotoForgotten
from tests.contracts import retry_rules, task_rules
from tests.contracts.asl import Machine
from tests.contracts.declared import Declared
from tests.contracts.mutations import drop, put, remove
from tests.contracts.slips import Slip

_FORGET: Final = "States/Forget"


def jobs_at_work_are_waited_for(machine: Machine, declared: Declared) -> Iterator[str]:
    """While a job is at work, nothing leads to the end; the machine outlives the longest job."""
    scope = machine.scopes[0]
    choice = scope.states["JobsAtWork?"].body
    (rule,) = choice["Choices"]
    if rule.get("NumericGreaterThan") != 0 or rule.get("Variable") != "$.receipt.running":
        yield "JobsAtWork?: does not ask whether a job is running"
    if "Forgotten" in scope.reachable(rule["Next"], avoiding=("Forget",)):
        yield "JobsAtWork?: ends while a job is at work"
    lease_s = declared.machine_timeouts["FacesStateMachineArn"]
    if machine.definition["TimeoutSeconds"] <= lease_s:
        yield f"the machine ends before a job of {lease_s} s"


def the_receipt_has_every_count(machine: Machine, _declared: Declared) -> Iterator[str]:
    kept = machine.scopes[0].states["Forget"].body["ResultSelector"]
    for name in sorted({f"{each}.$" for each in PhotoForgotten.__dataclass_fields__} ^ kept.keys()):
        yield f"Forget: {name} is counted or kept, and not both"


def vectors_go_each_time_files_do(machine: Machine, _declared: Declared) -> Iterator[str]:
    """What a job at work publishes may be enrolled before its files are deleted."""
    scope = machine.scopes[0]
    for end in scope.ends("Forget", avoiding=("ForgetSource",)):
        yield f"{end.name}: is reached past ForgetSource"
    if "LetThemEnd" in scope.reachable("Forget", avoiding=("ForgetSource",)):
        yield "LetThemEnd: vectors wait for jobs at work"


RULES: Final = (
    jobs_at_work_are_waited_for,
    the_receipt_has_every_count,
    vectors_go_each_time_files_do,
)

SLIPS: Final = (
    Slip(
        jobs_at_work_are_waited_for,
        put("States/LetThemEnd/Next", "Forgotten"),
        "JobsAtWork?: ends while a job is at work",
    ),
    Slip(
        jobs_at_work_are_waited_for,
        put("States/JobsAtWork?/Choices/0/Variable", "$.receipt.jobs"),
        "JobsAtWork?: does not ask whether a job is running",
    ),
    Slip(
        jobs_at_work_are_waited_for,
        put("TimeoutSeconds", 10_800),
        "the machine ends before a job of 10800 s",
    ),
    Slip(
        the_receipt_has_every_count,
        drop(f"{_FORGET}/ResultSelector/work_files.$"),
        "Forget: work_files.$ is counted or kept, and not both",
    ),
    Slip(
        task_rules.payloads_fit_the_job,
        drop(f"{_FORGET}/Parameters/Payload/execution.$"),
        "Forget: the payload lacks 'execution'",
    ),
    Slip(
        vectors_go_each_time_files_do,
        put(f"{_FORGET}/Next", "JobsAtWork?"),
        "LetThemEnd: vectors wait for jobs at work",
    ),
    Slip(
        task_rules.payloads_fit_the_job,
        drop("States/ForgetSource/Parameters/Payload/key.$"),
        "ForgetSource: the payload lacks 'key'",
    ),
    Slip(
        retry_rules.lambda_is_retried,
        remove(f"{_FORGET}/Retry/1/ErrorEquals", "StoreUnavailable"),
        "Forget: StoreUnavailable is not retried",
    ),
)
