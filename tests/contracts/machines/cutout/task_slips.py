"""Slips in the machine's tasks, and in the data between them."""

from __future__ import annotations

from typing import Final

from tests.contracts import data_rules, task_rules
from tests.contracts.mutations import drop, put, rename
from tests.contracts.slips import Slip

_PICTURE: Final = "States/PublishCutout/ItemProcessor/States"
_PAYLOAD: Final = "States/RemoveBackground/Parameters/Payload"

_TASKS: Final = (
    Slip(
        task_rules.functions_exist,
        put("States/RefineEdges/Parameters/FunctionName", "${WorkBucket}:live"),
        "RefineEdges: '${WorkBucket}:live' is no container's function",
    ),
    Slip(
        task_rules.functions_exist,
        put("States/RefineEdges/Parameters/FunctionName", "${EdgeRefinerArn}"),
        "RefineEdges: '${EdgeRefinerArn}' is not the live alias",
    ),
    Slip(
        task_rules.functions_exist,
        put("States/RefineEdges/Parameters/FunctionName", "${BackgroundRemoverArn}:live"),
        "RefineEdges: '${BackgroundRemoverArn}:live' does not fit function_per_model of"
        " background-remover",
    ),
    Slip(
        task_rules.payloads_fit_the_job,
        rename(f"{_PAYLOAD}/model.$", "model_name.$"),
        "RemoveBackground: the payload lacks 'model'",
    ),
    Slip(
        task_rules.payloads_fit_the_job,
        rename(f"{_PAYLOAD}/model.$", "model_name.$"),
        "RemoveBackground: the job has no field 'model_name'",
    ),
    Slip(
        task_rules.payloads_fit_the_job,
        drop(f"{_PAYLOAD}/prompts.$"),
        "RemoveBackground: the payload lacks 'prompts'",
    ),
    Slip(
        task_rules.payloads_fit_the_job,
        drop(f"{_PAYLOAD}/schema"),
        "RemoveBackground: the payload lacks 'schema'",
    ),
    Slip(
        task_rules.literals_fit_the_job,
        put(f"{_PAYLOAD}/schema", 3),
        "RemoveBackground: 'schema' may not be 3",
    ),
    Slip(
        task_rules.literals_fit_the_job,
        put(f"{_PAYLOAD}/schema", "1"),
        "RemoveBackground: 'schema' may not be '1'",
    ),
    Slip(
        task_rules.literals_fit_the_job,
        put("States/Inspect/Parameters/Payload/lease_s", "86400"),
        "Inspect: 'lease_s' may not be '86400'",
    ),
    Slip(
        task_rules.results_fit_what_is_read,
        put("States/RemoveBackground/ResultSelector/mask.$", "$.Payload.alpha"),
        "RemoveBackground: the result has no field at $.Payload.alpha",
    ),
    Slip(
        task_rules.results_fit_what_is_read,
        put("States/RemoveBackground/ResultSelector/code.$", "$.StatusCode"),
        "RemoveBackground: the result has no field at $.StatusCode",
    ),
    Slip(
        task_rules.results_fit_what_is_read,
        drop("States/RemoveBackground/ResultSelector"),
        "RemoveBackground: no ResultSelector",
    ),
    Slip(
        task_rules.results_are_read_once,
        put(f"{_PAYLOAD}/model.$", "$.Payload.plan.model"),
        "RemoveBackground: reads $.Payload. outside a ResultSelector",
    ),
    Slip(
        task_rules.nobody_is_sent_the_whole_state,
        put(f"{_PAYLOAD}/source.$", "$"),
        "RemoveBackground: is sent the whole state",
    ),
    Slip(
        task_rules.nobody_is_sent_the_whole_state,
        rename(_PAYLOAD, "Payload.$"),
        "RemoveBackground: the payload is not written field by field",
    ),
    Slip(
        task_rules.nobody_is_sent_the_whole_state,
        put("States/Announce/Parameters/Entries/0/Detail.$", "$"),
        "Announce: is sent the whole state",
    ),
    Slip(
        task_rules.nobody_is_sent_the_whole_state,
        drop("States/Record/Parameters"),
        "Record: no Parameters, so everything is sent",
    ),
    Slip(
        task_rules.everything_times_out,
        drop("TimeoutSeconds"),
        "the machine has no TimeoutSeconds",
    ),
    Slip(
        task_rules.everything_times_out,
        drop(f"{_PICTURE}/CopyPicture/TimeoutSeconds"),
        "CopyPicture: no TimeoutSeconds",
    ),
    Slip(
        task_rules.functions_time_out_first,
        put("States/RemoveBackground/TimeoutSeconds", 314),
        "RemoveBackground: TimeoutSeconds below 315, its function's and 15 more",
    ),
    Slip(
        task_rules.children_time_out_first,
        put("States/StageWeights/TimeoutSeconds", 3599),
        "StageWeights: TimeoutSeconds below the 3600 of the machine it waits for",
    ),
    Slip(
        task_rules.children_time_out_first,
        put("States/StageWeights/Resource", "arn:aws:states:::states:startExecution"),
        "StageWeights: does not wait for the machine it starts",
    ),
    Slip(
        task_rules.the_lease_outlives_the_execution,
        put("States/Inspect/Parameters/Payload/lease_s", 3600),
        "Inspect: lease_s is 3600, the machine's TimeoutSeconds 86400",
    ),
    Slip(
        task_rules.the_lease_outlives_the_execution,
        put("TimeoutSeconds", 9000),
        "Inspect: lease_s is 86400, the machine's TimeoutSeconds 9000",
    ),
)

_DATA: Final = (
    Slip(
        data_rules.paths_lead_somewhere,
        put("States/Claim/Parameters/Key/job_id/S.$", "$.job.id"),
        "Claim: reads $.job.id, which nothing writes",
    ),
    Slip(
        data_rules.paths_lead_somewhere,
        put("States/FallbackAllowed?/Choices/0/Variable", "$.plan.fall_back"),
        "FallbackAllowed?: reads $.plan.fall_back, which nothing writes",
    ),
    Slip(
        data_rules.paths_lead_somewhere,
        put(f"{_PICTURE}/DescribePicture/Parameters/sha256.$", "$.artifact.digest"),
        "DescribePicture: reads $.artifact.digest, which nothing writes",
    ),
    Slip(
        data_rules.paths_lead_somewhere,
        drop("States/RemoveBackground/ResultSelector/weights_sha256.$"),
        "PublishRecord: reads $.removal.weights_sha256, which nothing writes",
    ),
    Slip(
        data_rules.paths_lead_somewhere,
        put("States/RefineEdges/ResultPath", "$.refined"),
        "PublishCutout: reads $.edges.pictures, which nothing writes",
    ),
    Slip(
        data_rules.nothing_replaced_is_read,
        put("States/Quarantine/Parameters/Body/source.$", "$.job.source"),
        "Quarantine: reads $.job.source, which NameAfterExecution does not pass on",
    ),
    Slip(
        data_rules.payloads_have_the_right_type,
        put("States/RefineEdges/Parameters/Payload/options.$", "$.job.source"),
        "RefineEdges: 'options' is given a <class 'pipeline.contracts.contract.SourcePhoto'>",
    ),
    Slip(
        data_rules.nulls_are_asked_about,
        put("States/Claim/Next", "FindWeights"),
        "FindWeights: is sent $.plan.mask.weights_key, which may be null",
    ),
    Slip(
        data_rules.nulls_are_asked_about,
        put("States/UseFallback/Next", "FindWeights"),
        "FindWeights: is sent $.plan.mask.weights_key, which may be null",
    ),
    Slip(
        data_rules.nulls_are_asked_about,
        put("States/WeightsNeeded?/Choices/0/Next", "FindWeights"),
        "FindWeights: is sent $.plan.mask.weights_key, which may be null",
    ),
    Slip(
        data_rules.what_is_put_is_json,
        put("States/Quarantine/Parameters/ContentType", "text/plain"),
        "Quarantine: JSON that does not say so",
    ),
)

SLIPS: Final = (*_TASKS, *_DATA)
