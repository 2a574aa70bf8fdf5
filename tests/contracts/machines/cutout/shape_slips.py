"""Slips in the machine's shape."""

from __future__ import annotations

from typing import Final

from tests.contracts import shape_rules
from tests.contracts.mutations import drop, put, rename
from tests.contracts.slips import Slip

_PICTURE: Final = "States/PublishCutout/ItemProcessor/States"


SLIPS: Final = (
    Slip(
        shape_rules.placeholders_resolve,
        put("States/Claim/Parameters/TableName", "${JobTable}"),
        "${JobTable} is declared nowhere",
    ),
    Slip(
        shape_rules.placeholders_resolve,
        rename("States/Claim/Parameters/TableName", "${JobsTable}"),
        "1 placeholders are misspelt or stand outside string values",
    ),
    Slip(
        shape_rules.placeholders_resolve,
        put("Comment", "${ JobsTable }"),
        "1 placeholders are misspelt or stand outside string values",
    ),
    Slip(
        shape_rules.names_are_spelt_alike,
        rename("States/Record", "record_result"),
        "record_result: not PascalCase (only a Choice may end in a question mark)",
    ),
    Slip(
        shape_rules.names_are_spelt_alike,
        rename("States/Done", "Done?"),
        "Done?: not PascalCase (only a Choice may end in a question mark)",
    ),
    Slip(
        shape_rules.names_are_used_once,
        rename(f"{_PICTURE}/DescribePicture", "Record"),
        "Record: more than one state has this name",
    ),
    Slip(shape_rules.comments_explain, drop("Comment"), "the machine has no Comment"),
    Slip(
        shape_rules.comments_explain,
        drop(f"{_PICTURE}/CopyPicture/Comment"),
        "CopyPicture: a Task without a Comment",
    ),
    Slip(
        shape_rules.targets_exist,
        put("States/Inspect/Next", "Clam"),
        "Inspect: leads to 'Clam', which does not exist",
    ),
    Slip(
        shape_rules.targets_exist,
        put("States/WeightsStaged?/Default", "StageWeight"),
        "WeightsStaged?: leads to 'StageWeight', which does not exist",
    ),
    Slip(
        shape_rules.targets_exist,
        put("States/WeightsStaged?/Choices/0/Next", "Remove"),
        "WeightsStaged?: leads to 'Remove', which does not exist",
    ),
    Slip(
        shape_rules.targets_exist,
        put("States/Claim/Catch/0/Next", "FindResult"),
        "Claim: leads to 'FindResult', which does not exist",
    ),
    Slip(
        shape_rules.targets_exist,
        put(f"{_PICTURE}/CopyPicture/Next", "PublishRecord"),
        "CopyPicture: leads to 'PublishRecord', which does not exist",
    ),
    Slip(
        shape_rules.targets_exist,
        put("StartAt", "Begin"),
        "cutout: StartAt names no state: 'Begin'",
    ),
    Slip(
        shape_rules.every_state_goes_on_or_ends,
        drop("States/Done/End"),
        "Done: a Pass with neither Next nor End",
    ),
    Slip(
        shape_rules.every_state_goes_on_or_ends,
        drop("States/StagedAgain?/Default"),
        "StagedAgain?: a Choice without a Default",
    ),
    Slip(
        shape_rules.every_state_is_reachable,
        put("States/FindFirstResult/Next", "Done"),
        "Duplicate: no way leads here from Inspect",
    ),
    Slip(
        shape_rules.every_way_ends,
        put("States/UseFallback/Next", "UseFallback"),
        "UseFallback: no way out",
    ),
    Slip(
        shape_rules.runs_on_every_engine,
        put("QueryLanguage", "JSONata"),
        "QueryLanguage is JSONata",
    ),
    Slip(
        shape_rules.runs_on_every_engine,
        put("States/StageAgain/Assign", {"again": True}),
        "StageAgain: Assign",
    ),
    Slip(
        shape_rules.runs_on_every_engine,
        put("States/PublishCutout/ItemProcessor/ProcessorConfig/Mode", "DISTRIBUTED"),
        "PublishCutout: a Map that does not say it is INLINE",
    ),
    Slip(
        shape_rules.runs_on_every_engine,
        put("States/PublishCutout/ItemBatcher", {"MaxItemsPerBatch": 2}),
        "PublishCutout: ItemBatcher",
    ),
    Slip(
        shape_rules.runs_on_every_engine,
        put("States/PublishCutout/ItemsPath", "$.edges.pictures[?(@.kind)]"),
        "a JSONPath filter",
    ),
    Slip(
        shape_rules.runs_on_every_engine,
        put("States/Announce/Resource", "arn:aws:states:us-east-1:1:activity:announce"),
        "Announce: arn:aws:states:us-east-1:1:activity:announce is no integration the local"
        " cloud runs",
    ),
    Slip(
        shape_rules.reference_paths_select_one_place,
        put("States/PublishCutout/ItemsPath", "$.edges.pictures[*]"),
        "PublishCutout: ItemsPath $.edges.pictures[*] selects more than one place",
    ),
    Slip(
        shape_rules.distributed_maps_are_bounded,
        put("States/PublishCutout/ItemProcessor/ProcessorConfig/Mode", "DISTRIBUTED"),
        "PublishCutout: a distributed Map without ResultWriter",
    ),
    Slip(
        shape_rules.sdk_answers_are_selected,
        drop("States/FindWeights/ResultSelector"),
        "FindWeights: no ResultSelector",
    ),
)
