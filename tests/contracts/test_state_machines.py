"""State machines, manifests, contracts and errors agree with one another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.contracts.asl import Machine, load_machines, placeholders
from tests.contracts.declared import ROOT, Declared, read_declared
from tests.contracts.rules import RULES, Rule

FOLDER = ROOT / "state_machines"
MACHINES = load_machines(FOLDER)


@pytest.fixture(scope="module")
def declared() -> Declared:
    return read_declared()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_every_machine_keeps_every_rule(machine: Machine, rule: Rule, declared: Declared) -> None:
    assert list(rule(machine, declared)) == []


def test_the_machines_of_the_platform_are_all_here() -> None:
    photos = {"backfill", "cutout", "reap-jobs", "record-failure", "stage-weights"}

    assert photos | {"release-container"} <= {machine.name for machine in MACHINES}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.name)
def test_every_file_is_valid_json_on_its_own(path: Path) -> None:
    json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "named"),
    [("record-failure", "CutoutStateMachineUnqualifiedArn")],
)
def test_a_trigger_names_what_is_declared(name: str, named: str, declared: Declared) -> None:
    trigger = json.loads((FOLDER / f"{name}.trigger.json").read_text(encoding="utf-8"))

    assert placeholders(trigger) == (named,)
    assert named in declared.substitutions


def test_every_trigger_has_its_machine() -> None:
    triggers = {
        path.name.removesuffix(f".{kind}.json")
        for kind in ("trigger", "schedule")
        for path in FOLDER.glob(f"*.{kind}.json")
    }

    assert triggers <= {machine.name for machine in MACHINES}


def test_every_container_works_in_some_machine(declared: Declared) -> None:
    used = {name for machine in MACHINES for name in placeholders(machine.definition)}

    assert declared.containers.keys() - used == set()


def test_every_declared_bucket_and_table_is_used(declared: Declared) -> None:
    used = {name for machine in MACHINES for name in placeholders(machine.definition)}
    declared_names = {name for name in declared.substitutions if name.endswith(("Bucket", "Table"))}

    assert declared_names - used == set()
