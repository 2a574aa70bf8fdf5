"""State machines, manifests, contracts and errors agree with one another."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.declared.declaration import pascal_case
from pipeline.local.deployment import NAMES
from tests.contracts.asl import Machine, load_machines, placeholders
from tests.contracts.declared import ROOT, Declared, Rule, read_declared
from tests.contracts.rules import rules_of

FOLDER = ROOT / "state_machines"
MACHINES = load_machines(FOLDER)


DECLARED = read_declared()


@pytest.fixture
def declared() -> Declared:
    return DECLARED


@pytest.mark.parametrize(
    ("machine", "rule"),
    [(machine, rule) for machine in MACHINES for rule in rules_of(machine, DECLARED)],
    ids=lambda value: value.name if isinstance(value, Machine) else value.__name__,
)
def test_a_machine_keeps_the_rules_of_every_machine_of_its_role_and_its_own(
    machine: Machine, rule: Rule
) -> None:
    assert list(rule(machine, DECLARED)) == []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.name)
def test_every_file_is_valid_json_on_its_own(path: Path) -> None:
    json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.trigger.json")), ids=lambda path: path.name)
def test_a_trigger_names_what_is_declared(path: Path, declared: Declared) -> None:
    named = placeholders(json.loads(path.read_text(encoding="utf-8")))

    assert named
    assert set(named) <= declared.substitutions.keys()


def test_bad_ends_of_every_product_are_recorded() -> None:
    blueprint = Blueprint.read(ROOT)
    first = blueprint.products[0]
    second = first.model_copy(update={"name": "memo", "machine": "write-memo"})
    grown = replace(blueprint, products=(first, second))

    pattern = json.loads(grown.triggers(NAMES)["record-failure"])

    assert pattern["detail"]["stateMachineArn"] == [
        NAMES.unqualified_machine_arn(machine)
        for machine in (first.machine, "write-memo", *blueprint.resources.claiming)
    ]


def test_every_end_of_a_product_that_is_recorded_is_told_to_webhooks_and_so_is_success() -> None:
    blueprint = Blueprint.read(ROOT)
    triggers = blueprint.triggers(NAMES)
    recorded, told = (
        json.loads(triggers[name])["detail"] for name in ("record-failure", "notify-webhooks")
    )

    others = {NAMES.unqualified_machine_arn(name) for name in blueprint.resources.claiming}
    assert told["status"] == ["SUCCEEDED", *recorded["status"]]
    assert {*recorded["stateMachineArn"]} - {*told["stateMachineArn"]} == others


def test_lists_of_products_are_all_in_one_order() -> None:
    """The recorder reads the product of an ARN at the ARN's place in the list."""
    blueprint = Blueprint.read(ROOT)
    second = blueprint.products[0].model_copy(update={"name": "memo", "machine": "write-memo"})
    provided = replace(blueprint, products=(second, *blueprint.products)).substitutions(NAMES)

    assert provided["ProductNames"].split()[0] == "memo"
    assert provided["ProductMachines"].split()[0] == "write-memo"
    assert provided["ProductStateMachineUnqualifiedArns"].split()[0] == (
        NAMES.unqualified_machine_arn("write-memo")
    )


def test_lists_of_machines_that_claim_rows_are_in_one_order_with_those_of_no_product() -> None:
    """The recorder writes the product at the ARN's place: its own name for a product's."""
    blueprint = Blueprint.read(ROOT)
    provided = blueprint.substitutions(NAMES)

    machines = provided["ClaimingMachines"].split()
    assert set(machines) == {
        *(product.machine for product in blueprint.products), *blueprint.resources.claiming
    }  # fmt: skip
    assert provided["ClaimingStateMachineNames"].split() == [*map(NAMES.machine, machines)]
    assert provided["ClaimingStateMachineUnqualifiedArns"].split() == [
        *map(NAMES.unqualified_machine_arn, machines)
    ]
    products = dict(zip(machines, provided["ClaimingProducts"].split(), strict=True))
    assert products["collection"] == "collection"
    assert {each.name for each in blueprint.products} < {*products.values()}


def test_every_trigger_has_its_machine() -> None:
    triggers = {
        path.name.removesuffix(f".{kind}.json")
        for kind in ("trigger", "schedule")
        for path in FOLDER.glob(f"*.{kind}.json")
    }

    assert triggers <= {machine.name for machine in MACHINES}


def test_every_container_with_a_job_works_in_some_machine_and_no_other_does(
    declared: Declared,
) -> None:
    used = {name for machine in MACHINES for name in placeholders(machine.definition)}
    with_a_job = {name for name, container in declared.containers.items() if container.job}

    assert used & declared.containers.keys() == with_a_job


def test_every_declared_bucket_and_table_is_used(declared: Declared) -> None:
    used = {name for machine in MACHINES for name in placeholders(machine.definition)}
    tables = {table.name for each in declared.containers.values() for table in each.tables}
    by_containers = {f"{pascal_case(name)}Table" for name in tables}
    zipped = Blueprint.read(ROOT).resources.functions.values()
    by_functions = {name for each in zipped for name in placeholders(dict(each.environment))}
    declared_names = {name for name in declared.substitutions if name.endswith(("Bucket", "Table"))}

    assert declared_names - used - by_containers - by_functions == set()
