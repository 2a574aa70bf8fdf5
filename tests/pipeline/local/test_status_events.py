"""The event of an ended execution has the form that AWS gives it."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

from pipeline.local.status_events import status_change

ARN = "arn:aws:states:us-east-1:123456789012:execution:cutout:e-1"
STARTED = dt.datetime(2026, 11, 20, 12, 0, 0, 250_000, tzinfo=dt.UTC)


def ended(**values: Any) -> Any:
    """Return the attributes of moto's execution that the event needs."""
    usual = {
        "exec_arn": ARN,
        "name": "e-1",
        "account_id": "123456789012",
        "region_name": "us-east-1",
        "state_machine": SimpleNamespace(arn="arn:aws:states:us-east-1:123456789012:cutout"),
        "status": "ABORTED",
        "start_date": STARTED,
        "stop_date": STARTED + dt.timedelta(seconds=3),
        "input_data": {"key": "cat.jpg"},
        "output": None,
        "error": None,
        "cause": None,
    }
    return SimpleNamespace(**usual | values)


def test_unknown_fields_are_null() -> None:
    detail = status_change(ended())["detail"]

    assert [detail[name] for name in ("error", "cause", "output", "outputDetails")] == [None] * 4


def test_input_and_output_are_text_and_times_are_milliseconds() -> None:
    event = status_change(ended(status="SUCCEEDED", output={"status": "DONE"}))

    assert event["resources"] == [ARN]
    assert event["detail"]["input"] == '{"key": "cat.jpg"}'
    assert event["detail"]["output"] == '{"status": "DONE"}'
    assert event["detail"]["startDate"] == 1_795_176_000_250
    assert event["detail"]["stopDate"] == 1_795_176_003_250


def test_an_error_and_its_cause_are_included() -> None:
    detail = status_change(ended(status="FAILED", error="NoSubject", cause="nothing"))["detail"]

    assert (detail["status"], detail["error"], detail["cause"]) == (
        "FAILED",
        "NoSubject",
        "nothing",
    )
