"""A rule on what the recorder writes, and slips in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.contracts import data_rules, retry_rules
from tests.contracts.asl import Machine
from tests.contracts.declared import Declared
from tests.contracts.mutations import drop, put
from tests.contracts.slips import Slip

_RECORD: Final = "States/EachRow/ItemProcessor/States/RecordFailure"


def a_row_that_is_made_names_its_product(machine: Machine, _declared: Declared) -> Iterator[str]:
    """And one that a product's machine has made keeps the names that are in it."""
    (written,) = (task for task in machine.tasks if task.name == "RecordFailure")
    update = written.parameters["UpdateExpression"]
    for name in ("product", "machine"):
        if f"#{name} = if_not_exists(#{name}, :{name})" not in update:
            yield f"RecordFailure: does not write {name} where there is none"


def a_source_is_noted_last_and_only_where_none_is(
    machine: Machine, _declared: Declared
) -> Iterator[str]:
    """An index refuses some names, so the row is complete before its object is named."""
    (noting,) = (task for task in machine.tasks if task.name == "NoteSource")
    if noting.parameters["ConditionExpression"] != (
        "#execution = :execution AND attribute_not_exists(#key)"
    ):
        yield "NoteSource: may change another row, or the object of a job"
    scope = machine.scopes[0]
    if "NoteSource" in scope.reachable(scope.start, avoiding=("EachRow",)):
        yield "NoteSource: is reached past EachRow"
    if "NoteSource" in scope.reachable(scope.start, avoiding=("SourceNamed?",)):
        yield "NoteSource: is reached past SourceNamed?"


RULES: Final = (
    a_row_that_is_made_names_its_product,
    a_source_is_noted_last_and_only_where_none_is,
)

SLIPS: Final = (
    Slip(
        a_row_that_is_made_names_its_product,
        put(f"{_RECORD}/Parameters/UpdateExpression", "SET #machine = :machine"),
        "RecordFailure: does not write machine where there is none",
    ),
    Slip(
        a_source_is_noted_last_and_only_where_none_is,
        put("States/NoteSource/Parameters/ConditionExpression", "#execution = :execution"),
        "NoteSource: may change another row, or the object of a job",
    ),
    Slip(
        a_source_is_noted_last_and_only_where_none_is,
        put("States/ReadInput/Next", "SourceOfEvent"),
        "NoteSource: is reached past SourceNamed?",
    ),
    Slip(
        a_source_is_noted_last_and_only_where_none_is,
        put("States/JobFound?/Choices/0/Next", "InputTold?"),
        "NoteSource: is reached past EachRow",
    ),
    Slip(
        data_rules.paths_lead_somewhere,
        drop("States/EachRow/ItemSelector/machine.$"),
        "RecordFailure: reads $.machine, which nothing writes",
    ),
    Slip(
        retry_rules.dynamodb_is_retried,
        drop(f"{_RECORD}/Retry/0"),
        "RecordFailure: DynamoDB.ThrottlingException is not retried",
    ),
)
