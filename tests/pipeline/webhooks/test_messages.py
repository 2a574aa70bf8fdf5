"""A message says how a job ended, in the API's words, and nothing that is secret or expires."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.functions.webhook_planner.contract import Message, WriteMessages
from pipeline.functions.webhook_planner.messages import write_messages
from pipeline.operations.uploading import new_upload
from pipeline.webhooks.registered import EVENTS, Webhook

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:matteline-dev-cutout"
ARN = "arn:aws:states:eu-central-1:123456789012:execution:matteline-dev-cutout:e-1"
PREFIX = "0123456789abcdef0123456789abcdef/"
UPLOAD = new_upload(PREFIX, datetime.now(UTC))
KEY = f"{UPLOAD.folder}cat.jpg"
INPUT = {"detail": {"bucket": {"name": "ingest"}, "object": {"key": KEY}}}
CAUSE = "no subject in s3://bucket/cat.jpg\nCrop the photo."


def detail(status: str = "SUCCEEDED", **changes: Any) -> dict[str, Any]:
    return {
        "executionArn": ARN,
        "stateMachineArn": MACHINE,
        "name": "e-1",
        "status": status,
        "stopDate": 1_790_000_000_123,
        "input": json.dumps(INPUT),
        "output": json.dumps({"status": "DONE", "job_id": "j-1", "manifest": "s3://output/x.json"}),
        **changes,
    }


def webhook(**changes: Any) -> Webhook:
    known: dict[str, Any] = {
        "webhook_id": "wh_1",
        "url": "https://example.com",
        "events": EVENTS,
        "created_at": "2026-10-01T00:00:00+00:00",
    }
    return Webhook(**{**known, **changes})


def written(told: dict[str, Any], *webhooks: Webhook, jobs: tuple[str, ...] = ()) -> list[Message]:
    rows = [{"job_id": {"S": job}} for job in jobs]
    items = [dict(each.item) for each in webhooks or (webhook(),)]
    return write_messages(WriteMessages(told, rows, items), {MACHINE: "cutout"}).messages


def test_a_message_has_the_form_of_standard_webhooks() -> None:
    (message,) = written(detail())

    assert json.loads(message.body) == {
        "type": "job.done",
        "timestamp": "2026-09-21T14:13:20.123Z",
        "data": {
            "job": "j-1",
            "execution": "e-1",
            "trace_id": "e-1",
            "upload": UPLOAD.id,
            "key": KEY,
            "product": "cutout",
            "state": "done",
            "path": "/jobs/e-1",
        },
    }


@pytest.mark.parametrize(
    ("told", "state", "error"),
    [
        (detail(output='{"status": "DUPLICATE", "job_id": "j-1"}'), "duplicate", None),
        (detail(output=None), "done", None),
        (detail("FAILED", error="NoSubject", cause=CAUSE), "quarantined", "NoSubject"),
        (detail("FAILED", error="StoreUnavailable", cause="x\ny"), "failed", "StoreUnavailable"),
        (
            detail("FAILED", error="StoreUnavailable",
                   cause='{"errorType": "KeyUnusable", "errorMessage": "no"}'),
            "failed",
            "KeyUnusable",
        ),
        (detail("FAILED", error="KeyError", cause="'secret'\nhint"), "failed", "JobFailed"),
        (detail("TIMED_OUT"), "failed", "JobTimedOut"),
        (detail("ABORTED", error=None, cause=None), "failed", "JobStopped"),
    ],
)  # fmt: skip
def test_an_end_has_the_apis_word_and_a_public_error(
    told: dict[str, Any], state: str, error: str | None
) -> None:
    if told["status"] != "SUCCEEDED":
        told["output"] = None
    (message,) = written(told, jobs=("e-1", "j-2"))
    said = json.loads(message.body)

    assert (said["type"], said["data"]["state"]) == (f"job.{state}", state)
    assert said["data"].get("error", {}).get("name") == error
    assert bool(said["data"].get("error", {}).get("hint")) == bool(error)
    assert "secret" not in message.body
    assert "s3://" not in message.body


def test_an_own_error_keeps_its_hint() -> None:
    (message,) = written(detail("FAILED", error="NoSubject", cause=CAUSE, output=None))

    assert json.loads(message.body)["data"]["error"]["hint"] == "Crop the photo."


def test_what_never_became_a_job_has_none() -> None:
    told = detail("FAILED", error="UnsupportedMedia", cause="x\ny", output=None)
    (message,) = written(told, jobs=("e-1",))

    assert "job" not in json.loads(message.body)["data"]


@pytest.mark.parametrize("given", [None, '"text"', "[]", "null", '{"key": 1}', '{"detail": []}'])
def test_an_input_without_an_object_has_no_key(given: str | None) -> None:
    (message,) = written(detail(input=given))

    assert {"key", "upload"}.isdisjoint(json.loads(message.body)["data"])
    assert written(detail(input=given), webhook(prefix=PREFIX)) == []


def test_the_same_end_has_the_same_id_and_a_redrive_another() -> None:
    other = webhook(webhook_id="wh_2")
    first, to_other = written(detail(), webhook(), other)
    (again,) = written(detail())
    (redriven,) = written(detail(stopDate=1_790_000_000_124))

    assert first == again
    assert len({first.message_id, to_other.message_id, redriven.message_id}) == 3
    assert first.message_id.startswith("msg_")
    assert "." not in first.message_id


@pytest.mark.parametrize(
    "changes",
    [{"events": ("job.failed",)}, {"disabled": "the receiver answered 410"}, {"prefix": "other/"}],
)
def test_a_webhook_gets_only_what_it_wants(changes: dict[str, Any]) -> None:
    assert written(detail(), webhook(**changes)) == []
    assert len(written(detail(), webhook(prefix=PREFIX), webhook(events=("job.done",)))) == 2


def test_an_execution_that_was_handed_over_tells_nobody() -> None:
    other = ARN.replace("cutout", "transcript")
    output = json.dumps({"status": "HANDED_OVER", "execution": other})

    assert written(detail(output=output)) == []
