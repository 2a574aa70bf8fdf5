"""Slips in the job of AWS Batch that stands for the mask's function."""

from __future__ import annotations

from typing import Final

from tests.contracts import batch_rules, data_rules, retry_rules, shape_rules, task_rules
from tests.contracts.mutations import add, drop, put, remove, rename
from tests.contracts.slips import Slip

_JOB: Final = "States/RemoveBackgroundOnBatch"
_BRANCH: Final = f"{_JOB}/Branches/0"
_RUN: Final = f"{_BRANCH}/States/RunRemoveBackground"
_INPUT: Final = f"{_RUN}/Parameters/Input"
_ASKING: Final = "States/RemoveBackgroundOnBatch?"
_ASTRAY: Final = (
    "RemoveBackgroundOnBatch: a branch that does not run one job, or loses its error",
)

_ALIKE: Final = (
    Slip(
        batch_rules.jobs_have_a_function_beside_them,
        rename("States/RemoveBackground", "RemoveGround"),
        "RemoveBackgroundOnBatch: there is no RemoveBackground beside it",
    ),
    Slip(
        batch_rules.jobs_do_what_their_function_does,
        put(f"{_INPUT}/payload/model.$", "$.job.model"),
        "RemoveBackgroundOnBatch: the payload is not that of RemoveBackground",
    ),
    Slip(
        batch_rules.jobs_do_what_their_function_does,
        put("States/RemoveBackground/Parameters/Payload/follows.$", "$.job.follows_latest"),
        "RemoveBackgroundOnBatch: the payload is not that of RemoveBackground",
    ),
    Slip(
        batch_rules.jobs_do_what_their_function_does,
        put(f"{_JOB}/Next", "PublishCutout"),
        "RemoveBackgroundOnBatch: Next is not that of RemoveBackground",
    ),
    Slip(
        batch_rules.jobs_do_what_their_function_does,
        put(f"{_JOB}/ResultPath", "$.mask"),
        "RemoveBackgroundOnBatch: ResultPath is not that of RemoveBackground",
    ),
    Slip(
        batch_rules.jobs_do_what_their_function_does,
        drop(f"{_JOB}/ResultSelector/subjects.$"),
        "RemoveBackgroundOnBatch: the result is not that of RemoveBackground",
    ),
    Slip(
        batch_rules.jobs_do_what_their_function_does,
        remove(f"{_JOB}/Catch/0/ErrorEquals", "NoSubject"),
        "RemoveBackgroundOnBatch: errors are not caught as those of RemoveBackground",
    ),
    Slip(
        batch_rules.jobs_do_what_their_function_does,
        put(f"{_JOB}/Catch/2/Next", "RecordFailure"),
        "RemoveBackgroundOnBatch: errors are not caught as those of RemoveBackground",
    ),
    Slip(
        batch_rules.jobs_do_what_their_function_does,
        put(f"{_BRANCH}/States/RemoveBackgroundFailed/ErrorPath", "$.cause"),
        *_ASTRAY,
    ),
    Slip(
        batch_rules.jobs_do_what_their_function_does,
        put(f"{_BRANCH}/States/RemoveBackgroundRan?/Default", "RemoveBackgroundDone"),
        *_ASTRAY,
    ),
    Slip(
        batch_rules.jobs_do_what_their_function_does,
        put(f"{_RUN}/Parameters/StateMachineArn", "${StageWeightsStateMachineArn}"),
        *_ASTRAY,
    ),
    Slip(
        batch_rules.jobs_do_what_their_function_does,
        put(f"{_RUN}/ResultSelector/error.$", "$.Error"),
        *_ASTRAY,
    ),
)
_WHERE: Final = (
    Slip(
        batch_rules.jobs_run_the_planned_model,
        put(f"{_INPUT}/function.$", "States.Format('diarizer-{}', $.plan.mask.model)"),
        "RemoveBackgroundOnBatch: 'function' is States.Format('diarizer-{}', $.plan.mask.model)",
    ),
    Slip(
        batch_rules.jobs_run_the_planned_model,
        put(f"{_INPUT}/queue", "${DiarizerJobQueue}"),
        "RemoveBackgroundOnBatch: 'queue' is ${DiarizerJobQueue}",
    ),
    Slip(
        batch_rules.jobs_run_the_planned_model,
        put(f"{_INPUT}/lane.$", "$.job.model"),
        "RemoveBackgroundOnBatch: 'lane' is not the job's",
    ),
    Slip(
        batch_rules.the_plan_says_where_models_run,
        put(f"{_ASKING}/Choices/0/Variable", "$.job.options.compute"),
        "RemoveBackgroundOnBatch?: does not ask $.plan.mask.compute",
    ),
    Slip(
        batch_rules.the_plan_says_where_models_run,
        put("States/StageWeights/Next", "RemoveBackground"),
        "RemoveBackground: a way leads here past RemoveBackgroundOnBatch?",
    ),
    Slip(
        batch_rules.roles_have_batch_where_their_tasks_have,
        drop("States/Inspect/Parameters/Payload/batch"),
        "Inspect: 'batch' is None",
    ),
    Slip(
        batch_rules.roles_have_batch_where_their_tasks_have,
        drop(_JOB),
        "role mask: batch in the declaration or in cutout, and not in both",
    ),
)
_OTHER: Final = (
    Slip(
        task_rules.children_time_out_first,
        put(f"{_RUN}/TimeoutSeconds", 43_000),
        "RunRemoveBackground: TimeoutSeconds below the 43500 of the machine it waits for",
    ),
    Slip(
        data_rules.nulls_are_asked_about,
        put(f"{_INPUT}/weights.$", "$.plan.mask.weights_key"),
        "RunRemoveBackground: is sent $.plan.mask.weights_key, which may be null",
    ),
    Slip(
        data_rules.paths_lead_somewhere,
        put(f"{_INPUT}/lane.$", "$.job.lanes"),
        "RunRemoveBackground: reads $.job.lanes, which nothing writes",
    ),
    Slip(
        retry_rules.error_names_exist,
        add(f"{_JOB}/Catch/2/ErrorEquals", "Lambda.Unknown"),
        "RemoveBackgroundOnBatch: Parallel does not raise Lambda.Unknown",
    ),
    Slip(
        retry_rules.every_task_is_retried_politely,
        drop(f"{_RUN}/Retry"),
        "RunRemoveBackground: a Task that is never retried",
    ),
    Slip(
        shape_rules.names_are_used_once,
        rename(f"{_BRANCH}/States/RemoveBackgroundDone", "Done"),
        "Done: more than one state has this name",
    ),
)

SLIPS: Final = (*_ALIKE, *_WHERE, *_OTHER)
