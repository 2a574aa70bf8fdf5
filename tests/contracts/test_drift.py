"""The rules bite: one small change to a machine or a declaration, and a rule says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, Literal, NamedTuple

import pytest
from pydantic import Field, create_model

from pipeline.contracts.contract import InspectMedia, Result
from pipeline.contracts.cutout import RefineEdges
from tests.contracts import catch_rules, retry_rules, shape_rules, task_rules
from tests.contracts.asl import load_machines
from tests.contracts.batch_slips import BATCHES
from tests.contracts.declared import ROOT, Declared, read_declared
from tests.contracts.error_slips import CATCHES, RETRIES
from tests.contracts.mutations import changed, drop, put
from tests.contracts.operations import Task
from tests.contracts.reap_slips import REAPING
from tests.contracts.release_slips import RELEASES
from tests.contracts.rules import RULES, Rule
from tests.contracts.slips import SHAPE, Slip
from tests.contracts.task_slips import DATA, TASKS

MACHINES: Final = {machine.name: machine for machine in load_machines(ROOT / "state_machines")}
SLIPS: Final = (
    *SHAPE,
    *TASKS,
    *DATA,
    *RETRIES,
    *CATCHES,
    *RELEASES,
    *REAPING,
    *BATCHES,
)
STAGE_MODEL: Final = "States/StageEachModel/ItemProcessor/States/StageModel"
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
        {"transient": DECLARED.transient | {"QueueUnavailable"}},
        "RemoveBackground: QueueUnavailable is not retried",
    ),
    Shift(
        retry_rules.error_names_exist,
        {"permanent": DECLARED.permanent - {"NoSubject"}},
        "RemoveBackground: nothing raises NoSubject",
    ),
    Shift(
        catch_rules.permanent_errors_are_caught,
        {"permanent": DECLARED.permanent | {"TooBlurred"}},
        "Inspect: TooBlurred is not caught",
    ),
    Shift(
        catch_rules.capacity_errors_are_caught,
        {"capacity": DECLARED.capacity | {"OutOfDisk"}},
        "RefineEdges: OutOfDisk is not caught",
    ),
)


def name_of(value: Any) -> str | None:
    return value.rule.__name__ if isinstance(value, Slip | Shift) else None


def test_there_is_nothing_to_report_before_a_change() -> None:
    machines = MACHINES.values()

    assert [said for rule in RULES for one in machines for said in rule(one, DECLARED)] == []


@pytest.mark.parametrize("slip", SLIPS, ids=name_of)
def test_a_slip_in_the_machine_is_reported(slip: Slip) -> None:
    machine = changed(MACHINES[slip.machine], slip.edit)

    assert slip.report in list(slip.rule(machine, DECLARED))


@pytest.mark.parametrize("shift", SHIFTS, ids=name_of)
def test_a_declaration_that_moves_on_alone_is_reported(shift: Shift) -> None:
    declared: Declared = replace(DECLARED, **shift.fields)

    assert shift.report in list(shift.rule(MACHINES["cutout"], declared))


@pytest.mark.parametrize(
    ("rule", "edit", "report"),
    [
        (
            task_rules.functions_time_out_first,
            put(f"{STAGE_MODEL}/TimeoutSeconds", 900),
            "StageModel: TimeoutSeconds below 915, its function's and 15 more",
        ),
        (
            task_rules.payloads_fit_the_job,
            drop(f"{STAGE_MODEL}/Parameters/Payload/force.$"),
            "StageModel: the payload lacks 'force'",
        ),
        (
            retry_rules.lambda_is_retried,
            drop(f"{STAGE_MODEL}/Retry/1"),
            "StageModel: WeightsUnavailable is not retried",
        ),
        (
            retry_rules.lambda_is_retried,
            drop(f"{STAGE_MODEL}/Retry/2"),
            "StageModel: WeightsClaimed is not retried",
        ),
        (
            retry_rules.lambda_is_retried,
            put(f"{STAGE_MODEL}/Retry/2/MaxAttempts", 6),
            (
                "StageModel: WeightsClaimed is retried 1 s ×1.5, 6 tries, cap 30 s;"
                " agreed is 1 s ×1.5, 90 tries, cap 30 s"
            ),
        ),
    ],
)
def test_a_slip_inside_a_map_is_reported(rule: Rule, edit: Any, report: str) -> None:
    machine = changed(MACHINES["stage-weights"], edit)

    assert report in list(rule(machine, DECLARED))


def test_a_machine_file_that_is_not_kebab_case_is_reported() -> None:
    machine = replace(MACHINES["cutout"], name="CutOut")

    assert list(shape_rules.names_are_spelt_alike(machine, DECLARED)) == [
        "file name 'CutOut' is not kebab-case"
    ]


def test_every_rule_has_bitten_once() -> None:
    assert {slip.rule for slip in SLIPS} == set(RULES)
