"""From event to execution: what EventBridge's state machine target does on AWS."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.local.s3_events import S3EventNormaliser

_LOG = logging.getLogger(__name__)
_POLL_S: Final = 1
_ROOM_CHECK_S: Final = 0.1
_STARTED: Final = "ExecutionAlreadyExists"
_PASSING: Final = frozenset({"ThrottlingException", "ExecutionLimitExceeded", "RequestTimeout"})


class EventBridge:
    """Empties a trigger's queue, one execution per event, at most `most_running` at a time.

    On AWS the functions scale out instead; a laptop keeps the rest waiting in the queue.
    """

    def __init__(
        self,
        *,
        queue_url: str,
        machine_arn: str,
        client: Callable[[str], Any],
        most_running: int,
        stopping: threading.Event,
    ) -> None:
        self._queue_url = queue_url
        self._machine_arn = machine_arn
        self._sqs = client("sqs")
        self._states = client("stepfunctions")
        self._most_running = most_running
        self._running: set[str] = set()
        self._normaliser = S3EventNormaliser()
        self._stopping = stopping
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        """Wait for it to end, once `stopping` is set."""
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._deliver()
            except (BotoCoreError, ClientError):
                _LOG.exception("the queue did not answer; asking again")
                self._stopping.wait(_POLL_S)

    def _deliver(self) -> None:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=_POLL_S
        )
        for message in answer.get("Messages", []):
            event = self._as_on_aws(json.loads(message["Body"]))
            if event is not None and not self._start(event):
                return
            self._sqs.delete_message(
                QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"]
            )

    def _as_on_aws(self, event: dict[str, Any]) -> dict[str, Any] | None:
        return self._normaliser.normalise(event) if event["source"] == "aws.s3" else event

    def _start(self, event: dict[str, Any]) -> bool:
        """Start the event's execution, however often it takes; False when told to stop first.

        An event that can never start one is dropped: it must not keep those behind it.
        """
        while not self._stopping.is_set():
            self._wait_for_room()
            try:
                started = self._states.start_execution(
                    stateMachineArn=self._machine_arn, name=event["id"], input=json.dumps(event)
                )
            except (BotoCoreError, ClientError) as error:
                if _settled(error, event["id"]):
                    return True
                _LOG.exception("the execution of an event could not be started; trying again")
                self._stopping.wait(_POLL_S)
            else:
                self._running.add(started["executionArn"])
                return True
        return False

    def _wait_for_room(self) -> None:
        while len(self._running) >= self._most_running and not self._stopping.is_set():
            self._running = {arn for arn in self._running if self._is_running(arn)}
            if len(self._running) >= self._most_running:
                self._stopping.wait(_ROOM_CHECK_S)

    def _is_running(self, arn: str) -> bool:
        return bool(self._states.describe_execution(executionArn=arn)["status"] == "RUNNING")


def _settled(error: BotoCoreError | ClientError, event_id: str) -> bool:
    """Whether asking again is of no use: it was started before, or never can be."""
    if not isinstance(error, ClientError):
        return False
    code = error.response["Error"]["Code"]
    if code == _STARTED:
        return True
    refused = 400 <= error.response["ResponseMetadata"]["HTTPStatusCode"] < 500
    if refused and code not in _PASSING:
        _LOG.error("event %s is dropped, it can start nothing: %s", event_id, error)
        return True
    return False
