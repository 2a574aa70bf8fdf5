"""Slips in work by the thousand, each with what a rule has to say."""

from __future__ import annotations

from typing import Final

from tests.contracts import batch_rules
from tests.contracts.mutations import drop, put
from tests.contracts.slips import Slip

BATCHES: Final = (
    Slip(
        batch_rules.every_end_is_summed_up,
        drop("States/CutOutRows/Catch/1"),
        "CutOutRows: States.ItemReaderFailed is not caught",
        machine="backfill",
    ),
    Slip(
        batch_rules.every_end_is_summed_up,
        put("States/SayTooManyFailed/Next", "Failed"),
        "CutOutPrefix: can get to Failed past PublishSummary",
        machine="backfill",
    ),
    Slip(
        batch_rules.lists_start_nothing,
        put("States/CutOutLines/ItemReader/Parameters/Bucket", "${IngestBucket}"),
        "CutOutLines: reads a list outside the work bucket",
        machine="backfill",
    ),
    Slip(
        batch_rules.lists_start_nothing,
        put("States/CutOutLines/ItemReader/Parameters/Key.$", "$.batch.list"),
        "CutOutLines: reads a list outside backfill/lists/",
        machine="backfill",
    ),
    Slip(
        batch_rules.what_is_put_is_json,
        put("States/PublishSummary/Parameters/Body", "total,failed"),
        "PublishSummary: a Body that is no object",
        machine="backfill",
    ),
    Slip(
        batch_rules.what_is_put_is_json,
        put("States/Quarantine/Parameters/ContentType", "text/plain"),
        "Quarantine: JSON that does not say so",
    ),
)
