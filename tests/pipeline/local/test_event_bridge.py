"""Each event starts one execution, with the event's form on AWS."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from pipeline.local import event_bridge
from pipeline.local.ends import Ends
from pipeline.local.event_bridge import EventBridge, S3EventNormaliser
from pipeline.operations.executions import Execution

MACHINE: Final = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
EXECUTION: Final = "arn:aws:states:us-east-1:123456789012:execution:m"


@dataclass
class Cloud:
    """A queue of two events, and a Step Functions that gives prepared answers to starts."""

    answers: list[str]
    stopping: threading.Event = field(default_factory=threading.Event)
    queue: list[str] = field(default_factory=lambda: ["first", "second"])
    started: list[str] = field(default_factory=list)

    def client(self, _service: str) -> Any:
        return self

    def receive_message(self, **_: Any) -> dict[str, Any]:
        if not self.queue:
            self.stopping.set()
        events = [(name, {"id": name, "source": "aws.states"}) for name in self.queue]
        return {"Messages": [{"Body": json.dumps(e), "ReceiptHandle": n} for n, e in events]}

    def send_message(self, **_: Any) -> None:
        pass

    def delete_message(self, *, ReceiptHandle: str, **_: Any) -> None:  # noqa: N803
        self.queue.remove(ReceiptHandle)

    def start_execution(self, *, name: str, **_: Any) -> dict[str, str]:
        if code := self.answers.pop(0):
            status = 500 if code == "InternalFailure" else 400
            response: Any = {
                "Error": {"Code": code, "Message": "no"},
                "ResponseMetadata": {"HTTPStatusCode": status},
            }
            raise ClientError(response, "StartExecution")
        self.started.append(name)
        return {"executionArn": f"{EXECUTION}:{name}"}


class Told(Ends):
    """Ends of which a test says so."""

    def say(self, arn: str) -> None:
        for listener in self._listeners:
            listener(Execution(arn, "SUCCEEDED", {}, {}, None, None))


def started_bridge(cloud: Cloud, ends: Ends | None = None, *, most_running: int = 2) -> EventBridge:
    bridge = EventBridge(
        queue_url="queue",
        machine_arn=MACHINE,
        client=cloud.client,
        ends=ends or Ends(),
        most_running=most_running,
        stopping=cloud.stopping,
    )
    bridge.start()
    return bridge


def deliver_all(cloud: Cloud) -> None:
    started_bridge(cloud).join()


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "code",
    ["ExecutionAlreadyExists", "InvalidExecutionInput", "InvalidName", "ValidationException"],
)
def test_an_event_that_can_never_start_an_execution_does_not_block_the_next(code: str) -> None:
    cloud = Cloud([code, ""])

    deliver_all(cloud)

    assert (cloud.started, cloud.queue) == (["second"], [])


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "code", ["InternalFailure", "ThrottlingException", "ExecutionLimitExceeded"]
)
def test_an_event_stays_queued_while_step_functions_is_unavailable(code: str) -> None:
    cloud = Cloud([code, "", ""])

    deliver_all(cloud)

    assert cloud.started == ["first", "second"]


class FullCloud(Cloud):
    """Room for one execution, which ends as soon as it is told or described."""

    def __init__(self, ends: Told) -> None:
        super().__init__(answers=["", ""])
        self.ends = ends
        self.described: list[str] = []

    def describe_execution(self, *, executionArn: str) -> dict[str, str]:  # noqa: N803
        self.described.append(executionArn)
        return {"status": "SUCCEEDED"}


class EndingCloud(FullCloud):
    """An execution ends before the call that starts it has returned."""

    def start_execution(self, *, name: str, **options: Any) -> dict[str, str]:
        started = super().start_execution(name=name, **options)
        self.ends.say(started["executionArn"])
        return started


@pytest.mark.timeout(20)
def test_room_is_made_by_an_end_that_is_told_without_a_question() -> None:
    ends = Told()
    cloud = EndingCloud(ends)

    started_bridge(cloud, ends, most_running=1).join()

    assert (cloud.started, cloud.described) == (["first", "second"], [])


@pytest.mark.timeout(20)
def test_room_is_made_by_an_end_that_nobody_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_bridge, "_ROOM_CHECK_S", 0.01)
    ends = Told()
    cloud = FullCloud(ends)

    started_bridge(cloud, ends, most_running=1).join()

    assert cloud.started == ["first", "second"]
    assert cloud.described == [f"{EXECUTION}:first"]


@pytest.mark.timeout(20)
def test_an_execution_that_did_not_start_takes_no_room() -> None:
    ends = Told()
    cloud = FullCloud(ends)
    cloud.answers[:] = ["InvalidName", ""]

    started_bridge(cloud, ends, most_running=1).join()

    assert (cloud.started, cloud.described) == (["second"], [])


@pytest.mark.timeout(4)
def test_a_bridge_without_room_is_woken_to_stop() -> None:
    ends = Told()
    cloud = WaitingCloud(ends)
    bridge = started_bridge(cloud, ends, most_running=1)
    cloud.full.wait()
    cloud.stopping.set()
    bridge.join()

    assert cloud.started == ["first"]


class WaitingCloud(FullCloud):
    def __init__(self, ends: Told) -> None:
        super().__init__(ends)
        self.full = threading.Event()

    def delete_message(self, *, ReceiptHandle: str, **_: Any) -> None:  # noqa: N803
        super().delete_message(ReceiptHandle=ReceiptHandle)
        self.full.set()


def moto_event(
    etag: str = '"0cc175b9c0f1b6a831c399e269772661"', reason: str = "PutObject", **stored: str
) -> dict[str, Any]:
    return {
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "detail": {
            "bucket": {"name": "photos"},
            "object": {"key": "a b+c.jpg", "size": 1, "eTag": etag, "version-id": "v1"} | stored,
            "request-id": "always the same",
            "reason": reason,
        },
    }


class QuietCloud(Cloud):
    """A queue without events: a call that receives returns once a message is sent to it."""

    def __init__(self) -> None:
        super().__init__(answers=[])
        self.asked, self.sent = threading.Event(), threading.Event()

    def receive_message(self, **_: Any) -> dict[str, Any]:
        self.asked.set()
        self.sent.wait()
        return {"Messages": [{"Body": "{}", "ReceiptHandle": "wake"}]}

    def send_message(self, **_: Any) -> None:
        self.sent.set()


def test_a_bridge_that_waits_for_events_is_woken_to_stop() -> None:
    cloud = QuietCloud()
    bridge = started_bridge(cloud)
    cloud.asked.wait()
    cloud.stopping.set()
    bridge.join()

    assert cloud.started == []


def test_an_upload_is_one_event_with_etag_and_reason() -> None:
    event = S3EventNormaliser().normalise(moto_event())

    assert event is not None
    assert event["detail"]["object"]["etag"] == "0cc175b9c0f1b6a831c399e269772661"
    assert "eTag" not in event["detail"]["object"]
    assert event["detail"]["object"]["version-id"] == "v1"
    assert event["detail"]["reason"] == "PutObject"


def test_a_deletion_is_an_event_of_its_type_without_a_size() -> None:
    event = moto_event(reason="DeleteObject")
    event["detail"]["deletion-type"] = "Delete Marker Created"

    deleted = S3EventNormaliser().normalise(event)

    assert deleted is not None
    assert deleted["detail"]["deletion-type"] == "Delete Marker Created"
    assert "size" not in deleted["detail"]["object"]


def test_an_unversioned_object_has_no_version_id() -> None:
    event = S3EventNormaliser().normalise(moto_event(**{"version-id": "null"}))

    assert event is not None
    assert "version-id" not in event["detail"]["object"]


def test_every_event_has_a_new_id_and_a_later_sequencer() -> None:
    normaliser = S3EventNormaliser()

    first, second = normaliser.normalise(moto_event()), normaliser.normalise(moto_event())

    assert first is not None
    assert second is not None
    assert first["id"] != second["id"]
    assert first["detail"]["request-id"] != second["detail"]["request-id"]
    assert first["detail"]["object"]["sequencer"] < second["detail"]["object"]["sequencer"]


def test_the_two_events_of_a_multipart_upload_become_one() -> None:
    normaliser = S3EventNormaliser()
    etag, reasons = '"9b2cf535f27731c974343645a3985328-3"', ("PutObject", "CompleteMultipartUpload")

    events = [normaliser.normalise(moto_event(etag, reason)) for reason in reasons]

    assert events[0] is None
    assert events[1] is not None
    assert events[1]["detail"]["reason"] == "CompleteMultipartUpload"


def test_a_copy_of_a_multipart_upload_is_an_event() -> None:
    copied = moto_event('"9b2cf535f27731c974343645a3985328-3"', reason="CopyObject")

    assert S3EventNormaliser().normalise(copied) is not None


def test_normalising_leaves_the_given_event_unchanged() -> None:
    given = moto_event()

    S3EventNormaliser().normalise(given)

    assert given == moto_event()
