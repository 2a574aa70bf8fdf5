"""Rules on what a run of a collection does and leaves, and slips in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, get_args

from pipeline.contracts.collection_words import Action
from tests.contracts import catch_rules, data_rules, retry_rules, task_rules
from tests.contracts.asl import Machine, State, strings
from tests.contracts.declared import Declared
from tests.contracts.mutations import drop, put, remove
from tests.contracts.slips import Slip

_CLAIM: Final = "Claim"
_WHICH: Final = "WhichAction?"
_ENDS: Final[Mapping[str, str]] = {"Record": "DONE", "RecordQuarantine": "QUARANTINED"}
# The first task of each action, by the state's name; those of an enrolment are after a choice.
_TASKS: Final[Mapping[str, frozenset[str]]] = {
    "create": frozenset({"CreateCollection"}),
    "allow": frozenset({"ChangeAllowed"}),
    "enroll": frozenset({"EnrollRecords", "EnrollPrefix"}),
    "forget": frozenset({"ForgetSubject"}),
    "compact": frozenset({"CompactCollection"}),
    "export": frozenset({"ExportPerson"}),
    "move": frozenset({"MoveCollection"}),
    "delete": frozenset({"DeleteCollection"}),
}
# What may come after it in the same run.
_AFTERWARDS: Final = frozenset({"CompactCollection", "ForgetPhotos"})
_BEFORE: Final = frozenset({"DescribeCollections", "FindFaces", "Record"})
# Results of which a call is one of several: the state that asks whether it was the last.
_PARTS: Final[Mapping[str, str]] = {
    "EnrollPrefix": "PrefixRead?",
    "ForgetSubject": "MorePhotos?",
    "MoveCollection": "AllMoved?",
}


def a_run_does_one_action(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Each action leads to its own task, and to no other's; what is unknown loses nothing."""
    scope = machine.scopes[0]
    which = scope.states[_WHICH].body
    ways = {rule["StringEquals"]: rule["Next"] for rule in which["Choices"]}
    ways["create"] = which["Default"]
    for action in sorted({*get_args(Action)} ^ ways.keys()):
        yield f"{_WHICH}: {action} is an action or leads somewhere, and not both"
    tasks = {task.name for task in machine.tasks if task.service in {"lambda", "states"}}
    for action, start in ways.items():
        reached = scope.reachable(start, avoiding=("ReadCause",)) & tasks
        for name in sorted(_TASKS[action] - reached):
            yield f"{_WHICH}: {action} does not get to {name}"
        for name in sorted(reached - _TASKS[action] - _AFTERWARDS - _BEFORE):
            yield f"{_WHICH}: {action} gets to {name}"


def a_run_is_claimed_before_it_acts_and_its_end_recorded(
    machine: Machine, _declared: Declared
) -> Iterator[str]:
    scope = machine.scopes[0]
    if _WHICH in scope.reachable(scope.start, avoiding=(_CLAIM,)):
        yield f"{_WHICH}: is reached past {_CLAIM}"
    for end in scope.ends(scope.start, avoiding=(*_ENDS,)):
        yield f"{end.name}: is reached without a record of the end"
    for name, status in {_CLAIM: "RUNNING", **_ENDS}.items():
        yield from _written_otherwise(scope.states[name], status)


def _written_otherwise(state: State, status: str) -> Iterator[str]:
    """The row is named after the execution, and is what the recorder would make of it."""
    parameters = state.parameters
    values = parameters["ExpressionAttributeValues"]
    expected = {":status": status, ":product": "collection", ":machine": "collection"}
    for name, text in expected.items():
        if values.get(name) != {"S": text}:
            yield f"{state.name}: {name} is not {text}"
    if parameters["Key"] != {"job_id": {"S.$": "$$.Execution.Name"}}:
        yield f"{state.name}: the row is not named after the execution"


def nobody_is_named_outside_the_execution(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Rows and quarantine records outlive an execution's history: they have no input in them."""
    for task in machine.tasks:
        if task.service in {"dynamodb", "aws-sdk:s3"}:
            for text in strings(task.parameters):
                if "$.request" in text or "Execution.Input" in text:
                    yield f"{task.name}: writes {text}"


def parts_are_asked_for_until_there_are_no_more(
    machine: Machine, _declared: Declared
) -> Iterator[str]:
    """A call begins where the last one ended, and the first at the beginning."""
    scope = machine.scopes[0]
    for name, choice in _PARTS.items():
        if scope.states[name].payload.get("after.$") != "$.result.after":
            yield f"{name}: does not begin where the last call ended"
        (rule,) = scope.states[choice].body["Choices"]
        if rule["Variable"] != "$.result.after" or scope.states[choice].body["Default"] != name:
            yield f"{choice}: does not go on while there is more"


def files_of_a_forgotten_person_are_deleted(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Of each page of photos, and not before the vectors are forgotten."""
    scope = machine.scopes[0]
    if "ForgetPhotos" in scope.reachable(scope.start, avoiding=("ForgetSubject",)):
        yield "ForgetPhotos: is reached past ForgetSubject"
    asked = scope.states["FilesToDelete?"].body
    if asked["Default"] != "ForgetPhotos":
        yield "FilesToDelete?: the files stay"
    (running,) = scope.states["JobsAtWork?"].body["Choices"]
    if "Record" in scope.reachable(running["Next"], avoiding=("ForgetPhotos", "ReadCause")):
        yield "JobsAtWork?: ends while a job is at work"


def a_photo_is_enrolled_by_its_own_record(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Another photo may have replaced the record at the key since its faces were found."""
    scope = machine.scopes[0]
    if scope.states["TakePhotosRecord"].parameters.get("job_id.$") != "$.faces.output.job_id":
        yield "TakePhotosRecord: does not say whose record it is"
    if scope.states["EnrollRecords"].payload.get("job_id.$") != "$.enrolling.job_id":
        yield "EnrollRecords: is not told whose record it is"
    if "TakePhotosRecord" in scope.reachable("LetFirstEnd", avoiding=("FindFaces",)):
        yield "LetFirstEnd: does not ask again"


RULES: Final = (
    a_run_does_one_action,
    a_run_is_claimed_before_it_acts_and_its_end_recorded,
    nobody_is_named_outside_the_execution,
    parts_are_asked_for_until_there_are_no_more,
    files_of_a_forgotten_person_are_deleted,
    a_photo_is_enrolled_by_its_own_record,
)

SLIPS: Final = (
    Slip(
        a_run_does_one_action,
        put("States/WhichAction?/Choices/3/Next", "DeleteCollection"),
        "WhichAction?: compact gets to DeleteCollection",
    ),
    Slip(
        a_run_does_one_action,
        drop("States/WhichAction?/Choices/4"),
        "WhichAction?: export is an action or leads somewhere, and not both",
    ),
    Slip(
        a_run_is_claimed_before_it_acts_and_its_end_recorded,
        put("States/CheckRequest/Next", "WhichAction?"),
        "WhichAction?: is reached past Claim",
    ),
    Slip(
        a_run_is_claimed_before_it_acts_and_its_end_recorded,
        put("States/ExportPerson/Next", "Done"),
        "Done: is reached without a record of the end",
    ),
    Slip(
        a_run_is_claimed_before_it_acts_and_its_end_recorded,
        put("States/Claim/Parameters/ExpressionAttributeValues/:product/S", "faces"),
        "Claim: :product is not collection",
    ),
    Slip(
        nobody_is_named_outside_the_execution,
        put("States/Quarantine/Parameters/Body/replay/input.$", "$$.Execution.Input"),
        "Quarantine: writes $$.Execution.Input",
    ),
    Slip(
        parts_are_asked_for_until_there_are_no_more,
        put("States/MoveCollection/Parameters/Payload/after.$", "$.moved.after"),
        "MoveCollection: does not begin where the last call ended",
    ),
    Slip(
        parts_are_asked_for_until_there_are_no_more,
        put("States/PrefixRead?/Default", "Record"),
        "PrefixRead?: does not go on while there is more",
    ),
    Slip(
        files_of_a_forgotten_person_are_deleted,
        put("States/FilesToDelete?/Default", "MorePhotos?"),
        "FilesToDelete?: the files stay",
    ),
    Slip(
        files_of_a_forgotten_person_are_deleted,
        put("States/LetThemEnd/Next", "MorePhotos?"),
        "JobsAtWork?: ends while a job is at work",
    ),
    Slip(
        a_photo_is_enrolled_by_its_own_record,
        put("States/TakePhotosRecord/Parameters/job_id.$", "$$.Execution.Name"),
        "TakePhotosRecord: does not say whose record it is",
    ),
    Slip(
        a_photo_is_enrolled_by_its_own_record,
        put("States/LetFirstEnd/Next", "TakePhotosRecord"),
        "LetFirstEnd: does not ask again",
    ),
    Slip(
        task_rules.nobody_is_sent_the_whole_state,
        put("States/Claim/Parameters/ExpressionAttributeValues/:input.$", "$"),
        "Claim: is sent the whole state",
    ),
    Slip(
        task_rules.payloads_fit_the_job,
        drop("States/EnrollRecords/Parameters/Payload/asked_at.$"),
        "EnrollRecords: the payload lacks 'asked_at'",
    ),
    Slip(
        task_rules.literals_fit_the_job,
        put("States/ForgetSubject/Parameters/Payload/action", "enroll"),
        "ForgetSubject: 'action' may not be 'enroll'",
    ),
    Slip(
        task_rules.children_time_out_first,
        put("States/FindFaces/TimeoutSeconds", 600),
        "FindFaces: TimeoutSeconds below the 10800 of the machine it waits for",
    ),
    Slip(
        data_rules.nulls_are_asked_about,
        put("States/PhotoGiven?/Choices/0/Variable", "$.request.enroll.records"),
        "FindFaces: is sent $.request.enroll.photo, which may be null",
    ),
    Slip(
        catch_rules.permanent_errors_are_caught,
        remove("States/MoveCollection/Catch/0/ErrorEquals", "CollectionMissing"),
        "MoveCollection: CollectionMissing is not caught",
    ),
    Slip(
        catch_rules.permanent_errors_are_quarantined,
        put("States/ReadCause/Next", "RecordQuarantine"),
        "CheckRequest: a permanent error gets to Quarantined past Quarantine",
    ),
    Slip(
        retry_rules.lambda_is_retried,
        remove("States/EnrollPrefix/Retry/0/ErrorEquals", "CollectionBusy"),
        "EnrollPrefix: CollectionBusy is not retried",
    ),
)
