"""The rules bite: one small change to a machine or a declaration, and a rule says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, Literal, NamedTuple

import pytest
from pydantic import Field, create_model

from pipeline.contracts.contract import InspectMedia, Result
from pipeline.contracts.cutout import RefineEdges
from tests.contracts import catch_rules, retry_rules, shape_rules, task_rules
from tests.contracts.asl import Machine, load_machines
from tests.contracts.declared import ROOT, Declared, Rule, read_declared
from tests.contracts.mutations import changed, remove
from tests.contracts.operations import Task
from tests.contracts.roles import OF_PLATFORM, Role
from tests.contracts.rules import OF_EVERY_MACHINE, OF_ROLE, rules_of, slips_of
from tests.contracts.slips import Slip

MACHINES: Final = {machine.name: machine for machine in load_machines(ROOT / "state_machines")}
SLIPS: Final = tuple((name, slip) for name in MACHINES for slip in slips_of(name))
DECLARED: Final = read_declared()


class Shift(NamedTuple):
    """A declaration that moved on without the machines."""

    rule: Rule
    fields: dict[str, Any]
    report: str


def without(name: str, mapping: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key != name}


def slower(placeholder: str) -> dict[str, Any]:
    container = DECLARED.containers[placeholder].model_copy(update={"timeout_s": 600})
    return {**DECLARED.containers, placeholder: container}


def raising(placeholder: str, name: str) -> dict[str, frozenset[str]]:
    return {**DECLARED.raised, placeholder: DECLARED.raised[placeholder] | {name}}


def with_pair(name: str, **halves: Any) -> dict[str, Task]:
    return {**DECLARED.tasks, name: DECLARED.tasks[name]._replace(**halves)}


WITH_REASON: Final = create_model("RefineEdges", __base__=RefineEdges, reason=(str, ...))
NEXT_SCHEMA: Final = create_model(
    "InspectMedia",
    __base__=InspectMedia,
    schema_version=(Literal[2, 3], Field(alias="schema")),
)

SHIFTS: Final = (
    Shift(
        shape_rules.placeholders_resolve,
        {"substitutions": without("QuarantineBucket", dict(DECLARED.substitutions))},
        "${QuarantineBucket} is declared nowhere",
    ),
    Shift(
        task_rules.functions_exist,
        {"containers": without("EdgeRefinerArn", dict(DECLARED.containers))},
        "RefineEdges: '${EdgeRefinerArn}:live' is no container's function",
    ),
    Shift(
        task_rules.functions_time_out_first,
        {"containers": slower("EdgeRefinerArn")},
        "RefineEdges: TimeoutSeconds below 615, its function's and 15 more",
    ),
    Shift(
        task_rules.payloads_fit_the_job,
        {"tasks": with_pair("RefineEdges", job=WITH_REASON)},
        "RefineEdges: the payload lacks 'reason'",
    ),
    Shift(
        task_rules.literals_fit_the_job,
        {"tasks": with_pair("InspectMedia", job=NEXT_SCHEMA)},
        "Inspect: 'schema' may not be 1",
    ),
    Shift(
        task_rules.results_fit_what_is_read,
        {"tasks": with_pair("RefineEdges", result=Result)},
        "RefineEdges: the result has no field at $.Payload.pictures",
    ),
    Shift(
        task_rules.children_time_out_first,
        {"machine_timeouts": {"StageWeightsStateMachineArn": 4000}},
        "StageWeights: TimeoutSeconds below the 4000 of the machine it waits for",
    ),
    Shift(
        retry_rules.lambda_is_retried,
        {
            "transient": DECLARED.transient | {"QueueUnavailable"},
            "raised": raising("EdgeRefinerArn", "QueueUnavailable"),
        },
        "RemoveBackground: QueueUnavailable is not retried",
    ),
    Shift(
        retry_rules.error_names_exist,
        {"permanent": DECLARED.permanent - {"NoSubject"}},
        "RemoveBackground: no task of cutout raises NoSubject",
    ),
    Shift(
        catch_rules.permanent_errors_are_caught,
        {
            "permanent": DECLARED.permanent | {"TooBlurred"},
            "raised": raising("BackgroundRemoverArn", "TooBlurred"),
        },
        "Inspect: TooBlurred is not caught",
    ),
    Shift(
        catch_rules.capacity_errors_are_caught,
        {
            "capacity": DECLARED.capacity | {"OutOfDisk"},
            "raised": raising("EdgeRefinerArn", "OutOfDisk"),
        },
        "RefineEdges: OutOfDisk is not caught",
    ),
)


def name_of(value: Any) -> str | None:
    return value.rule.__name__ if isinstance(value, Slip | Shift) else None


def reports(machine: Machine, declared: Declared) -> list[str]:
    return [said for rule in rules_of(machine, declared) for said in rule(machine, declared)]


def test_there_is_nothing_to_report_before_a_change() -> None:
    assert [said for one in MACHINES.values() for said in reports(one, DECLARED)] == []


@pytest.mark.parametrize(("name", "slip"), SLIPS, ids=name_of)
def test_a_slip_in_the_machine_is_reported(name: str, slip: Slip) -> None:
    machine = changed(MACHINES[name], slip.edit)

    assert slip.rule in rules_of(machine, DECLARED)
    assert slip.report in list(slip.rule(machine, DECLARED))


@pytest.mark.parametrize("shift", SHIFTS, ids=name_of)
def test_a_declaration_that_moves_on_alone_is_reported(shift: Shift) -> None:
    declared: Declared = replace(DECLARED, **shift.fields)

    assert shift.report in list(shift.rule(MACHINES["cutout"], declared))


@pytest.mark.parametrize("kind", ["permanent", "capacity", "transient"])
def test_an_error_that_no_task_of_a_machine_raises_is_no_business_of_it(kind: str) -> None:
    declared = replace(DECLARED, **{kind: getattr(DECLARED, kind) | {"TooBlurred"}})

    assert [said for one in MACHINES.values() for said in reports(one, declared)] == []


def test_a_second_product_is_held_to_the_rules_of_the_first() -> None:
    """Before rules went by role, the catches of any machine but cutout were unguarded."""
    second = Machine("memo", MACHINES["cutout"].text)
    declared = replace(DECLARED, products=(*DECLARED.products, "memo"))
    careless = changed(second, remove("States/RefineEdges/Catch/0/ErrorEquals", "SourceChanged"))

    assert reports(second, declared) == []
    assert reports(careless, declared) == ["RefineEdges: SourceChanged is not caught"]


def test_an_error_of_a_task_inside_a_map_may_be_caught_around_it() -> None:
    nested = changed(MACHINES["cutout"], _put_refining_into_a_map)
    careless = changed(nested, remove("States/Refine/Catch/0/ErrorEquals", "SourceChanged"))

    rules = OF_ROLE[Role.PRODUCT]
    assert [said for rule in rules for said in rule(nested, DECLARED)] == []
    assert [said for rule in rules for said in rule(careless, DECLARED)] == [
        "RefineEdges: SourceChanged is not caught"
    ]


def _put_refining_into_a_map(definition: dict[str, Any]) -> None:
    task = definition["States"].pop("RefineEdges")
    inner = {"StartAt": "RefineEdges", "States": {"RefineEdges": task}}
    around = {"Type": "Map", "ItemProcessor": inner, "Catch": task.pop("Catch")}
    definition["States"]["Refine"] = around


def test_a_machine_file_that_is_not_kebab_case_is_reported() -> None:
    machine = replace(MACHINES["cutout"], name="CutOut")

    assert list(shape_rules.names_are_spelt_alike(machine, DECLARED)) == [
        "file name 'CutOut' is not kebab-case"
    ]


def test_every_rule_has_bitten_once() -> None:
    rules: set[Rule] = {*OF_EVERY_MACHINE, *(rule for each in OF_ROLE.values() for rule in each)}
    own = {rule for one in MACHINES.values() for rule in rules_of(one, DECLARED)}

    assert {slip.rule for _, slip in SLIPS} == rules | own


def test_every_machine_brings_slips() -> None:
    assert [name for name in MACHINES if not slips_of(name)] == []


def test_every_machine_has_a_role_and_every_role_a_machine() -> None:
    assert {DECLARED.role_of(one) for one in MACHINES.values()} == set(Role)
    assert OF_PLATFORM.keys() == MACHINES.keys() - set(DECLARED.products)
