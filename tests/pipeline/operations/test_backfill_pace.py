"""A backfill takes at most half of what the account allows."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from pipeline.operations.backfill_pace import calls_at_once, default_cap
from tests.conftest import ROOT

CALL: Final = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
PUT: Final = {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem", "End": True}


def machine(**states: Any) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def each(call: dict[str, Any], **most: Any) -> dict[str, Any]:
    return {"Type": "Map", "ItemProcessor": machine(Call=call), **most}


@pytest.mark.parametrize(
    ("definition", "calls"),
    [
        (machine(Call=CALL, Again=CALL), 1),
        (machine(Put=PUT), 1),
        (machine(Each=each(CALL, MaxConcurrency=3)), 3),
        (machine(Each=each(CALL, MaxConcurrencyPath="$.most")), 7),
        (machine(Each=each(PUT, MaxConcurrency=3), Call=CALL), 1),
        (machine(Both={"Type": "Parallel", "Branches": [machine(C=CALL), machine(P=PUT)]}), 1),
        (
            machine(
                Both={
                    "Type": "Parallel",
                    "Branches": [machine(C=CALL), machine(E=each(CALL, MaxConcurrency=4))],
                }
            ),
            5,
        ),
    ],
    ids=["one-by-one", "no-function", "map", "map-by-path", "map-of-others", "parallel", "both"],
)
def test_the_calls_of_one_execution_at_a_time_are_counted(
    definition: dict[str, Any], calls: int
) -> None:
    assert calls_at_once(definition, 7) == calls


def test_a_photo_takes_one_function_at_a_time() -> None:
    definition = json.loads((ROOT / "state_machines" / "cutout.asl.json").read_text())

    assert calls_at_once(definition, 1) == 1


@pytest.mark.parametrize(
    ("concurrency", "at_once", "cap"),
    [(1_000, 1, 500), (1_000, 11, 45), (10, 1, 5), (10, 11, 1), (1, 1, 1), (50_000, 1, 10_000)],
)
def test_half_of_the_concurrency_is_left_to_uploads(
    concurrency: int, at_once: int, cap: int
) -> None:
    assert default_cap(concurrency, at_once) == cap
