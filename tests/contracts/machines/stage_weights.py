"""Slips in how weights are staged, which happens inside a Map."""

from __future__ import annotations

from typing import Final

from tests.contracts import retry_rules, task_rules
from tests.contracts.mutations import add, drop, put
from tests.contracts.slips import Slip

_STAGE_MODEL: Final = "States/StageEachModel/ItemProcessor/States/StageModel"

SLIPS: Final = (
    Slip(
        task_rules.functions_time_out_first,
        put(f"{_STAGE_MODEL}/TimeoutSeconds", 900),
        "StageModel: TimeoutSeconds below 915, its function's and 15 more",
    ),
    Slip(
        task_rules.payloads_fit_the_job,
        drop(f"{_STAGE_MODEL}/Parameters/Payload/force.$"),
        "StageModel: the payload lacks 'force'",
    ),
    Slip(
        retry_rules.lambda_is_retried,
        drop(f"{_STAGE_MODEL}/Retry/1"),
        "StageModel: WeightsUnavailable is not retried",
    ),
    Slip(
        retry_rules.lambda_is_retried,
        drop(f"{_STAGE_MODEL}/Retry/2"),
        "StageModel: WeightsClaimed is not retried",
    ),
    Slip(
        retry_rules.lambda_is_retried,
        put(f"{_STAGE_MODEL}/Retry/2/MaxAttempts", 6),
        "StageModel: WeightsClaimed is retried 1 s ×1.5, 6 tries, cap 30 s;"
        " agreed is 1 s ×1.5, 90 tries, cap 30 s",
    ),
    Slip(
        retry_rules.lambda_is_retried,
        add(f"{_STAGE_MODEL}/Retry/1/ErrorEquals", "ModelUnavailable"),
        "StageModel: ModelUnavailable is retried, which was not agreed",
    ),
)
