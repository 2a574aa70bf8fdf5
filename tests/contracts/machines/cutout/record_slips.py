"""Slips that would leave another job's result, or an outdated one, at an output key."""

from __future__ import annotations

from typing import Final

from tests.contracts import data_rules, record_rules, retry_rules
from tests.contracts.mutations import drop, put
from tests.contracts.slips import Slip

SLIPS: Final = (
    Slip(
        record_rules.duplicates_have_their_result,
        put("States/FindFirstResult/Next", "Duplicate"),
        "Claim: a duplicate may end without its record being read",
    ),
    Slip(
        record_rules.duplicates_have_their_result,
        put("States/FirstDone?/Choices/1/Next", "Duplicate"),
        "Claim: a duplicate may end without its record being read",
    ),
    Slip(
        record_rules.duplicates_have_their_result,
        put("States/FirstDone?/Default", "Duplicate"),
        "Claim: a duplicate may end without its record being read",
    ),
    Slip(
        record_rules.duplicates_have_their_result,
        put("States/FindRecord/Parameters/Key.$", "$.job.output_stem"),
        "Claim: a duplicate may end without its record being read",
    ),
    Slip(
        record_rules.duplicates_have_their_result,
        put("States/FindRecord/Next", "FindOutputs"),
        "FindRecord: a duplicate may end without its record being compared",
    ),
    Slip(
        record_rules.duplicates_have_their_result,
        put("States/RecordOwn?/Default", "Duplicate"),
        "RecordOwn?: a duplicate may end with another job's record",
    ),
    Slip(
        record_rules.duplicates_have_their_result,
        drop("States/FindRecord/Catch"),
        "FindRecord: S3.NoSuchKeyException is not caught",
    ),
    Slip(
        record_rules.duplicates_have_their_result,
        put("States/FindOutputs/Catch/0/Next", "Duplicate"),
        "FindOutputs: a duplicate may end without its result",
    ),
    Slip(
        record_rules.duplicates_have_their_result,
        put("States/FindOutputs/ItemsPath", "$.published.record.pictures"),
        "cutout: the outputs that a record names are not looked for",
    ),
    Slip(
        record_rules.records_name_their_outputs,
        drop("States/PublishRecord/Parameters/Body/outputs.$"),
        "PublishRecord: the record does not name its outputs",
    ),
    Slip(
        record_rules.sources_are_the_latest_when_published,
        drop("States/RefineEdges/Parameters/Payload/follows_latest.$"),
        "RefineEdges: is the last task, and is not told whether to follow the latest version",
    ),
    Slip(
        record_rules.sources_are_the_latest_when_published,
        put("States/RemoveBackground/Next", "PublishCutout"),
        "RemoveBackground: is the last task, and its job is no PublishedJob",
    ),
    Slip(
        data_rules.paths_lead_somewhere,
        put("States/RecordOwn?/Choices/1/And/1/StringEqualsPath", "$.job.id"),
        "RecordOwn?: reads $.job.id, which nothing writes",
    ),
    Slip(
        retry_rules.error_names_exist,
        put("States/FindOutputs/Catch/0/ErrorEquals", ["Sfn.NoSuchKeyException"]),
        "FindOutputs: Map does not raise Sfn.NoSuchKeyException",
    ),
)
