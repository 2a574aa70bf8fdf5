"""Rules on how a photo is prepared for clicks, and slips in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel

from pipeline.contracts.selection import PreparedSelection
from tests.contracts import catch_rules, data_rules, retry_rules, task_rules
from tests.contracts.asl import Machine
from tests.contracts.declared import ROOT, Declared, wire_fields
from tests.contracts.mutations import drop, put, remove, rename
from tests.contracts.slips import Slip

CUTOUT: Final = ROOT / "state_machines" / "cutout.asl.json"
# States that both machines have: a photo is inspected and its model staged in one way.
_ALIKE: Final = ("WeightsNeeded?", "FindWeights", "WeightsStaged?", "StageWeights", "StageAgain")
_NEXT: Final = {"RemoveBackgroundOnBatch?": "EncodePhoto"}


def its_output_is_what_a_click_needs(machine: Machine, _declared: Declared) -> Iterator[str]:
    (state,) = (state for state in machine.states if state.name == "Prepared")
    given = {name.removesuffix(".$") for name in state.parameters}
    wanted: type[BaseModel] = PreparedSelection
    for name in sorted(given ^ wire_fields(wanted).keys()):
        yield f"Prepared: {name!r} is in its output or in its contract, and not in both"


def it_leaves_nothing_but_the_work_of_its_tasks(
    machine: Machine, _declared: Declared
) -> Iterator[str]:
    """A selection is no product: it has no row, no record, no event and no quarantine."""
    allowed = ("lambda:invoke", "aws-sdk:s3:listObjectsV2", "states:startExecution.sync:2")
    for task in machine.tasks:
        if not task.resource.endswith(allowed):
            yield f"{task.name}: {task.resource} is not for a selection"


def models_are_staged_as_for_a_cutout(machine: Machine, _declared: Declared) -> Iterator[str]:
    theirs = Machine.read(CUTOUT).definition["States"]
    for name in _ALIKE:
        ours = machine.definition["States"].get(name)
        text = json.dumps(theirs[name])
        for other, own in _NEXT.items():
            text = text.replace(f'"Next": "{other}"', f'"Next": "{own}"')
        if json.loads(text) != ours:
            yield f"{name}: not as in cutout"


RULES: Final = (
    its_output_is_what_a_click_needs,
    it_leaves_nothing_but_the_work_of_its_tasks,
    models_are_staged_as_for_a_cutout,
)

SLIPS: Final = (
    Slip(
        its_output_is_what_a_click_needs,
        drop("States/Prepared/Parameters/mask.$"),
        "Prepared: 'mask' is in its output or in its contract, and not in both",
    ),
    Slip(
        it_leaves_nothing_but_the_work_of_its_tasks,
        put("States/FindWeights/Resource", "arn:aws:states:::aws-sdk:s3:putObject"),
        "FindWeights: arn:aws:states:::aws-sdk:s3:putObject is not for a selection",
    ),
    Slip(
        catch_rules.permanent_errors_are_caught,
        remove("States/EncodePhoto/Catch/0/ErrorEquals", "NoSubject"),
        "EncodePhoto: NoSubject is not caught",
    ),
    Slip(
        catch_rules.permanent_errors_are_quarantined,
        put("States/Inspect/Catch/0/Next", "Failed"),
        "Inspect: a permanent error gets to Failed past Refused",
    ),
    Slip(
        models_are_staged_as_for_a_cutout,
        put("States/StageWeights/TimeoutSeconds", 4000),
        "StageWeights: not as in cutout",
    ),
    Slip(
        task_rules.payloads_fit_the_job,
        drop("States/EncodePhoto/Parameters/Payload/selection.$"),
        "EncodePhoto: the payload lacks 'selection'",
    ),
    Slip(
        task_rules.payloads_fit_the_job,
        rename("States/Inspect/Parameters/Payload/prompts_follow", "prompts_later"),
        "Inspect: the job has no field 'prompts_later'",
    ),
    Slip(
        task_rules.results_fit_what_is_read,
        put("States/EncodePhoto/ResultSelector/embedding.$", "$.Payload.embeding"),
        "EncodePhoto: the result has no field at $.Payload.embeding",
    ),
    Slip(
        task_rules.the_lease_outlives_the_execution,
        put("States/Inspect/Parameters/Payload/lease_s", 60),
        "Inspect: lease_s is 60, the machine's TimeoutSeconds 10800",
    ),
    Slip(
        retry_rules.lambda_is_retried,
        drop("States/EncodePhoto/Retry/1"),
        "EncodePhoto: StoreUnavailable is not retried",
    ),
    Slip(
        catch_rules.caught_errors_end_in_fail,
        put("States/StagedAgain?/Choices/0/Next", "Prepared"),
        "EncodePhoto: what it catches at StagedAgain? can end in Prepared, no Fail state",
    ),
    Slip(
        data_rules.nulls_are_asked_about,
        put("States/WeightsNeeded?/Choices/0/Next", "FindWeights"),
        "FindWeights: is sent $.plan.mask.weights_key, which may be null",
    ),
)
