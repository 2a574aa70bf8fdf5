"""What becomes of an event whose execution cannot be started."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.local.event_bridge import EventBridge


@dataclass
class Cloud:
    """A queue of two events, and a Step Functions that answers to each start as it is told."""

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

    def delete_message(self, *, ReceiptHandle: str, **_: Any) -> None:  # noqa: N803
        self.queue.remove(ReceiptHandle)

    def start_execution(self, *, name: str, **_: Any) -> dict[str, str]:
        if code := self.answers.pop(0):
            status = 500 if code == "InternalFailure" else 400
            told: Any = {
                "Error": {"Code": code, "Message": "no"},
                "ResponseMetadata": {"HTTPStatusCode": status},
            }
            raise ClientError(told, "StartExecution")
        self.started.append(name)
        return {"executionArn": name}


def deliver_all(cloud: Cloud) -> None:
    bridge = EventBridge(
        queue_url="queue",
        machine_arn="machine",
        client=cloud.client,
        most_running=2,
        stopping=cloud.stopping,
    )
    bridge.start()
    bridge.join()


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "code",
    ["ExecutionAlreadyExists", "InvalidExecutionInput", "InvalidName", "ValidationException"],
)
def test_an_event_that_can_never_start_anything_does_not_block_the_next(code: str) -> None:
    cloud = Cloud([code, ""])

    deliver_all(cloud)

    assert (cloud.started, cloud.queue) == (["second"], [])


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "code", ["InternalFailure", "ThrottlingException", "ExecutionLimitExceeded"]
)
def test_an_event_is_kept_until_step_functions_answers_again(code: str) -> None:
    cloud = Cloud([code, "", ""])

    deliver_all(cloud)

    assert cloud.started == ["first", "second"]
