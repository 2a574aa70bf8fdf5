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


RULES: Final = (a_row_that_is_made_names_its_product,)

SLIPS: Final = (
    Slip(
        a_row_that_is_made_names_its_product,
        put(f"{_RECORD}/Parameters/UpdateExpression", "SET #machine = :machine"),
        "RecordFailure: does not write machine where there is none",
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
