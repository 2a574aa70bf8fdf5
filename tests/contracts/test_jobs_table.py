"""What the machine writes into the jobs table agrees with what a claim reads there."""

from __future__ import annotations

import json

import pytest

from pipeline.contracts import FOREVER
from tests.conftest import ROOT

STATES = json.loads((ROOT / "state_machines" / "cutout.asl.json").read_text())["States"]


@pytest.mark.parametrize(
    ("state", "status", "held_until"),
    [
        ("Record", "DONE", str(FOREVER)),
        ("RecordQuarantine", "QUARANTINED", "0"),
        ("RecordFailure", "FAILED", "0"),
    ],
)
def test_how_long_an_ended_job_is_held(state: str, status: str, held_until: str) -> None:
    values = STATES[state]["Parameters"]["ExpressionAttributeValues"]

    assert values[":status"] == {"S": status}
    assert values[":held_until"] == {"N": held_until}


def test_a_claim_compares_attributes_only_with_values() -> None:
    """DynamoDB may refuse a comparison that names no attribute."""
    condition = STATES["Claim"]["Parameters"]["ConditionExpression"]

    assert condition == (
        "attribute_not_exists(job_id) OR #held_until < :claims_before OR #execution = :execution"
    )
