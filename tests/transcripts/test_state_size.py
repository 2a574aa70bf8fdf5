"""The state of a long recording stays small: windows are pointers."""

from __future__ import annotations

from typing import Any, Final

from tests.execution.driver import Driver
from tests.transcripts.stubs.script import Script
from tests.transcripts.user import Recordings

WINDOWS: Final = 120  # 10 hours
PARTS: Final = 20
LIMIT_BYTES: Final = 64 * 2**10  # Step Functions allows 256 KiB
_DATA: Final = ("input", "output", "result", "parameters")


def data_of(event: dict[str, Any]) -> list[tuple[str, int]]:
    """Return the sizes of the data in one event of an execution's history."""
    return [
        (str(event["type"]), len(str(details[name]).encode()))
        for details in event.values()
        if isinstance(details, dict)
        for name in _DATA
        if name in details
    ]


def test_the_state_of_ten_hours_is_small(recordings: Recordings, driver: Driver) -> None:
    script = Script(windows=WINDOWS)
    key = "deeply/nested/folders/of/a/long/name/ten hours.mp3"

    done = recordings.drop(
        script, key,
        denoise="true", transcribe_denoised="true", align="wav2vec2-base-960h", concurrency="8",
        prompt="n" * 600, diarize="true", tags="true", most_tags="50",
    )  # fmt: skip

    assert done.output["status"] == "DONE"
    record = recordings.record(key)
    assert record["words"] == WINDOWS
    assert record["tasks"]["Diarize"]["windows"] == PARTS
    assert (len(record["speakers"]), len(record["predictions"])) == (20, 10)
    states = driver.cloud.client("stepfunctions")
    pages = states.get_paginator("get_execution_history").paginate(executionArn=done.arn)
    events = [event for page in pages for event in page["events"]]
    sizes = [size for event in events for size in data_of(event)]
    assert max(size for _, size in sizes) < LIMIT_BYTES, max(sizes, key=lambda each: each[1])
    assert len(events) < 25_000 / 4  # Step Functions fails an execution with more than 25,000
