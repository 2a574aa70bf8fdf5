"""Slips in how every collection is compacted."""

from __future__ import annotations

from typing import Final

from tests.contracts import retry_rules, task_rules
from tests.contracts.mutations import drop, put, remove
from tests.contracts.slips import Slip

_START: Final = "States/EachCollection/ItemProcessor/States/StartCompaction"

SLIPS: Final = (
    Slip(
        task_rules.children_time_out_first,
        put(f"{_START}/ResultPath", "$.started"),
        "StartCompaction: does not wait for the machine it starts",
    ),
    Slip(
        task_rules.payloads_fit_the_job,
        drop("States/ListCollections/Parameters/Payload/asked_by"),
        "ListCollections: the payload lacks 'asked_by'",
    ),
    Slip(
        retry_rules.lambda_is_retried,
        remove("States/ListCollections/Retry/1/ErrorEquals", "StoreUnavailable"),
        "ListCollections: StoreUnavailable is not retried",
    ),
)
