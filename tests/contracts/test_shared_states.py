"""Every product's machine claims, publishes, records, announces and quarantines alike."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from pipeline.declared.products import load_products
from tests.contracts.asl import Machine
from tests.contracts.declared import ROOT
from tests.contracts.mutations import Edit, add, changed, drop, put, rename
from tests.contracts.shared_states import SHARED, ProductMachine, differences

PRODUCTS: Final = tuple(
    ProductMachine(product, Machine.read(ROOT / "state_machines" / f"{product.machine}.asl.json"))
    for product in load_products(ROOT)
)
FIRST: Final = PRODUCTS[0]


def second(edit: Edit | None = None) -> ProductMachine:
    """A product as its author would make it of the first: other names, tasks and results."""
    product = FIRST.product.model_copy(update={"name": "memo", "machine": "write-memo"})
    text = FIRST.machine.text
    (entry,) = FIRST.machine.definition["States"]["Announce"]["Parameters"]["Entries"]
    for old, new in (
        (entry["DetailType"], "Memo Ready"),
        (f'":machine": {{ "S": "{FIRST.machine.name}" }}', '":machine": { "S": "write-memo" }'),
        (f'"{FIRST.product.name}"', '"memo"'),
    ):
        assert old in text
        text = text.replace(old, new)
    machine = changed(Machine("write-memo", text), _other_results)
    return ProductMachine(product, changed(machine, edit) if edit else machine)


def _other_results(definition: dict[str, Any]) -> None:
    states = definition["States"]
    states["Claim"]["Next"] = "ReadMemo"
    states["ReadMemo"] = {"Type": "Pass", "Next": "PublishRecord"}
    states["PublishRecord"]["Parameters"]["Body"]["words.$"] = "$.memo.words"
    states["Announce"]["Parameters"]["Entries"][0]["Detail"]["words.$"] = "$.memo.words"


@pytest.mark.parametrize("one", PRODUCTS, ids=lambda one: one.product.name)
def test_shared_states_are_those_of_the_first_product(one: ProductMachine) -> None:
    assert list(differences(FIRST, one)) == []


def test_a_second_product_has_its_own_names_tasks_and_results() -> None:
    other = second()

    assert "cutout" not in json.dumps(other.machine.definition["States"]["Claim"])
    assert list(differences(FIRST, other)) == []


@pytest.mark.parametrize(
    ("edit", "report"),
    [
        (drop("States/Duplicate"), "Duplicate: write-memo has no such state"),
        (rename("States/Record", "RecordMemo"), "Record: write-memo has no such state"),
        (put("States/Claim/Comment", "Claim."), "Claim: not as in cutout"),
        (drop("States/Claim/Catch"), "Claim: not as in cutout"),
        (put("States/Claim/Catch/0/Next", "ReadMemo"), "Claim: not as in cutout"),
        (
            put("States/Claim/Parameters/ExpressionAttributeValues/:product/S", "cutout"),
            "Claim: not as in cutout",
        ),
        (
            put("States/Claim/Parameters/ExpressionAttributeValues/:machine/S", "memo"),
            "Claim: not as in cutout",
        ),
        (put("States/PublishRecord/Parameters/Body/schema", 2), "PublishRecord: not as in cutout"),
        (
            put("States/PublishRecord/Parameters/Body/product", "cutout"),
            "PublishRecord: not as in cutout",
        ),
        (
            drop("States/PublishRecord/Parameters/Body/inspected_at.$"),
            "PublishRecord: not as in cutout",
        ),
        (put("States/Record/Retry/0/MaxAttempts", 3), "Record: not as in cutout"),
        (put("States/Announce/Parameters/Entries/0/Source", "memos"), "Announce: not as in cutout"),
        (
            drop("States/Announce/Parameters/Entries/0/Detail/job_id.$"),
            "Announce: not as in cutout",
        ),
        (put("States/ReadCause/Next", "Failed"), "ReadCause: not as in cutout"),
        (
            add("States/RecordFailure/Catch/0/ErrorEquals", "States.Timeout"),
            "RecordFailure: not as in cutout",
        ),
        (drop("States/Failed/CausePath"), "Failed: not as in cutout"),
    ],
)
def test_a_slip_in_a_second_products_shared_state_is_reported(edit: Edit, report: str) -> None:
    assert list(differences(FIRST, second(edit))) == [report]


def test_every_shared_state_is_compared() -> None:
    for name in SHARED:
        slip = put(f"States/{name}/Comment", "Something else.")
        assert list(differences(FIRST, second(slip))) == [f"{name}: not as in cutout"]
