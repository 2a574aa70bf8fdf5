"""Rules on notifications: every end of a job starts one delivery for each webhook, and once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.contracts import retry_rules, task_rules
from tests.contracts.asl import Machine
from tests.contracts.declared import Declared
from tests.contracts.mutations import drop, put
from tests.contracts.slips import Slip

_START: Final = "States/EachMessage/ItemProcessor/States/StartDelivery"
_EXISTS: Final = frozenset(
    {"StepFunctions.ExecutionAlreadyExists", "StepFunctions.ExecutionAlreadyExistsException"}
)
_SUCCEEDED: Final = "SUCCEEDED"


def an_end_is_recorded_before_it_is_told(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Only an execution that succeeded has recorded its end itself."""
    scope = machine.scopes[0]
    ways = [*scope.states["EndRecorded?"].body["Choices"]]
    if [way for way in ways if way.get("StringEquals") != _SUCCEEDED]:
        yield "EndRecorded?: not only success is told at once"
    if "WriteMessages" in scope.reachable(
        scope.states["EndRecorded?"].body["Default"], avoiding=("LetItBeRecorded",)
    ):
        yield "EndRecorded?: a bad end is told at once"


def a_message_is_started_once(machine: Machine, _declared: Declared) -> Iterator[str]:
    """Its delivery is named after it, and one of that name is no failure."""
    (scope,) = (scope for scope in machine.scopes if "StartDelivery" in scope.states)
    start = scope.states["StartDelivery"]
    if start.parameters.get("Name.$") != "$.message_id":
        yield "StartDelivery: is not named after its message"
    if start.caught != _EXISTS:
        yield "StartDelivery: a delivery that was started before is not caught"


RULES: Final = (
    an_end_is_recorded_before_it_is_told,
    a_message_is_started_once,
)

SLIPS: Final = (
    Slip(
        an_end_is_recorded_before_it_is_told,
        put("States/EndRecorded?/Default", "FindJob"),
        "EndRecorded?: a bad end is told at once",
    ),
    Slip(
        an_end_is_recorded_before_it_is_told,
        put("States/EndRecorded?/Choices/0/StringEquals", "FAILED"),
        "EndRecorded?: not only success is told at once",
    ),
    Slip(
        a_message_is_started_once,
        drop(f"{_START}/Parameters/Name.$"),
        "StartDelivery: is not named after its message",
    ),
    Slip(
        a_message_is_started_once,
        drop(f"{_START}/Catch/0"),
        "StartDelivery: a delivery that was started before is not caught",
    ),
    Slip(
        task_rules.children_time_out_first,
        put(f"{_START}/ResultPath", "$.started"),
        "StartDelivery: does not wait for the machine it starts",
    ),
    Slip(
        task_rules.payloads_fit_the_job,
        drop("States/WriteMessages/Parameters/Payload/jobs.$"),
        "WriteMessages: the payload lacks 'jobs'",
    ),
    Slip(
        retry_rules.dynamodb_is_retried,
        drop("States/FindWebhooks/Retry/0"),
        "FindWebhooks: DynamoDb.ThrottlingException is not retried",
    ),
)
