"""Rules on how one task runs as a job of AWS Batch, and slips in it."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from pipeline.local.batch.attempt import OUT_OF_MEMORY, TIMED_OUT
from tests.contracts import catch_rules, data_rules, retry_rules, shape_rules, task_rules
from tests.contracts.asl import Machine
from tests.contracts.declared import Declared
from tests.contracts.mutations import add, drop, put
from tests.contracts.retry_rules import ON_THROTTLE, retries_as_agreed
from tests.contracts.slips import Slip

_FOLDER: Final = "{}/batch/{}"
_PLACE: Final = "$.work_prefix, $$.Execution.Name"
_FAULTS: Final = (
    "Batch.TooManyRequestsException",
    "Batch.ServerException",
    "Batch.AWSBatchException",
    "Batch.SdkClientException",
)
# Why AWS Batch says that it ended a job, and the error that then stands for it.
_KILLED: Final = {OUT_OF_MEMORY: "OutOfMemory", TIMED_OUT: "Sandbox.Timedout"}


def jobs_are_tried_again_as_functions_are(machine: Machine, _declared: Declared) -> Iterator[str]:
    """That a job failed is not: AWS Batch has tried it as often as it may help."""
    for task in machine.tasks:
        if task.service == "batch":
            yield from retries_as_agreed(task, dict.fromkeys(_FAULTS, ON_THROTTLE))


def a_job_and_its_outcome_are_in_the_jobs_folder(
    machine: Machine, _declared: Declared
) -> Iterator[str]:
    """Each execution has its own: no job reads another's outcome."""
    states = machine.scopes[0].states
    given = states["RunJob"].parameters.get("Parameters", {})
    for name, state, file in (
        ("job", "WriteJob", "job.json"),
        ("outcome", "ReadOutcome", "outcome.json"),
    ):
        if states[state].parameters.get("Key.$") != f"States.Format('{_FOLDER}/{file}', {_PLACE})":
            yield f"{state}: the {name} is not in a folder of this execution"
        address = f"States.Format('s3://${{WorkBucket}}/{_FOLDER}/{file}', {_PLACE})"
        if given.get(f"{name}.$") != address:
            yield f"RunJob: is not told the address of the {name}"


def a_killed_job_has_a_name(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Whoever waits may have a lighter model for one that was too small; no other is answered."""
    states = machine.scopes[0].states
    rules = states["HowKilled?"].body["Choices"]
    for reason, error in _KILLED.items():
        cause = f'{{"StatusReason": "{reason}"}}'
        leads = [rule["Next"] for rule in rules if fnmatchcase(cause, rule["StringMatches"])]
        if [states[name].parameters.get("error") for name in leads] != [error]:
            yield f"HowKilled?: does not say {error} of {reason!r}"
    if "JobFailed" not in machine.scopes[0].reachable(states["HowKilled?"].body["Default"]):
        yield "HowKilled?: answers for a job that failed otherwise"


def errors_for_a_person_are_not_answered(machine: Machine, declared: Declared) -> Iterator[str]:
    """Those that no product's machine catches, of every container whose tasks run in jobs."""
    of_jobs = (name for name, container in declared.containers.items() if container.batch)
    raised = frozenset().union(*(declared.raised[name] for name in of_jobs))
    expected = raised & (declared.deployment | declared.weights) - {"WeightsNotStaged"}
    states = machine.scopes[0].states
    asked = {
        each.get("StringEquals")
        for rule in states["ForAPerson?"].body["Choices"]
        if states[rule["Next"]].type == "Fail"
        for each in rule.get("Or", ())
    }
    for name in sorted(expected ^ asked):
        yield f"ForAPerson?: {name} is asked about, or needs a person, and not both"


RULES: Final = (
    errors_for_a_person_are_not_answered,
    jobs_are_tried_again_as_functions_are,
    a_job_and_its_outcome_are_in_the_jobs_folder,
    a_killed_job_has_a_name,
)

SLIPS: Final = (
    Slip(
        errors_for_a_person_are_not_answered,
        drop("States/ForAPerson?/Choices/1/Or/1"),
        "ForAPerson?: WeightsMismatch is asked about, or needs a person, and not both",
    ),
    Slip(
        errors_for_a_person_are_not_answered,
        put("States/ForAPerson?/Choices/1/Or/0/StringEquals", "OutOfMemory"),
        "ForAPerson?: OutOfMemory is asked about, or needs a person, and not both",
    ),
    Slip(
        jobs_are_tried_again_as_functions_are,
        add("States/RunJob/Retry/0/ErrorEquals", "States.TaskFailed"),
        "RunJob: States.TaskFailed is retried, which was not agreed",
    ),
    Slip(
        jobs_are_tried_again_as_functions_are,
        put("States/RunJob/Retry/0/MaxAttempts", 2),
        "RunJob: Batch.ServerException is retried 2 s ×2, 2 tries, cap 120 s;"
        " agreed is 2 s ×2, 12 tries, cap 120 s",
    ),
    Slip(
        a_job_and_its_outcome_are_in_the_jobs_folder,
        put(
            "States/WriteJob/Parameters/Key.$",
            "States.Format('{}/batch/job.json', $.work_prefix)",
        ),
        "WriteJob: the job is not in a folder of this execution",
    ),
    Slip(
        a_job_and_its_outcome_are_in_the_jobs_folder,
        drop("States/RunJob/Parameters/Parameters/outcome.$"),
        "RunJob: is not told the address of the outcome",
    ),
    Slip(
        a_killed_job_has_a_name,
        put("States/HowKilled?/Default", "OutOfMemory"),
        "HowKilled?: answers for a job that failed otherwise",
    ),
    Slip(
        a_killed_job_has_a_name,
        put("States/TimedOut/Parameters/error", "OutOfMemory"),
        "HowKilled?: does not say Sandbox.Timedout of 'Job attempt duration exceeded timeout'",
    ),
    Slip(
        catch_rules.nothing_is_caught_by_wildcard,
        put("States/RunJob/Catch/0/ErrorEquals", ["States.ALL"]),
        "RunJob: catches States.ALL",
    ),
    Slip(
        catch_rules.nothing_is_caught_by_wildcard,
        put(
            "States/ReadOutcome/Catch",
            [{"ErrorEquals": ["States.TaskFailed"], "Next": "NameFailure"}],
        ),
        "ReadOutcome: catches States.TaskFailed",
    ),
    Slip(
        data_rules.what_is_put_is_json,
        put("States/WriteJob/Parameters/Body.$", "$.task"),
        "WriteJob: a Body that is no object",
    ),
    Slip(
        shape_rules.sdk_answers_are_selected,
        drop("States/ReadOutcome/ResultSelector"),
        "ReadOutcome: no ResultSelector",
    ),
    Slip(
        task_rules.everything_times_out,
        drop("States/RunJob/TimeoutSeconds"),
        "RunJob: no TimeoutSeconds",
    ),
    Slip(
        retry_rules.error_names_exist,
        add("States/RunJob/Retry/0/ErrorEquals", "Lambda.ServiceException"),
        "RunJob: batch does not raise Lambda.ServiceException",
    ),
)
