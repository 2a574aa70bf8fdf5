"""Start executions from queued events, as EventBridge's state machine target does on AWS.

S3 events get AWS's form first. moto reuses one id for all events, writes `eTag`, states the size of
what was deleted, and sends two events for one multipart upload.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import re
import threading
import uuid
from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.local.ends import Ends
from pipeline.operations.executions import Execution

_LOG = logging.getLogger(__name__)
_RETRY_S: Final = 1
_LONGEST_WAIT_S: Final = 20  # SQS's limit
_ROOM_CHECK_S: Final = 5.0  # in case that an end was not told
_MULTIPART_ETAG: Final = re.compile(r"-\d+$")
_STARTED: Final = "ExecutionAlreadyExists"
_TRANSIENT: Final = frozenset({"ThrottlingException", "ExecutionLimitExceeded", "RequestTimeout"})


class EventBridge:
    """A thread that starts one execution per event of a trigger's queue, while few are running.

    At most `most_running` executions run at a time; other events wait in the queue. On AWS,
    functions scale out instead.
    """

    def __init__(  # noqa: PLR0913 - keyword-only options
        self,
        *,
        queue_url: str,
        machine_arn: str,
        client: Callable[[str], Any],
        ends: Ends,
        most_running: int,
        stopping: threading.Event,
    ) -> None:
        self._queue_url = queue_url
        self._machine_arn = machine_arn
        self._sqs = client("sqs")
        self._states = client("stepfunctions")
        self._most_running = most_running
        self._running: set[str] = set()
        self._changed = threading.Condition()
        ends.listen(self._make_room)
        self._normaliser = S3EventNormaliser()
        self._stopping = stopping
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        """Wake the thread, which may be waiting for events or for room, and wait for its end.

        `stopping` must be set.
        """
        with self._changed:
            self._changed.notify_all()
        with contextlib.suppress(BotoCoreError, ClientError):
            self._sqs.send_message(QueueUrl=self._queue_url, MessageBody="{}")
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._deliver()
            except (BotoCoreError, ClientError):
                _LOG.exception("the queue did not answer; trying again")
                self._stopping.wait(_RETRY_S)

    def _deliver(self) -> None:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=_LONGEST_WAIT_S
        )
        for message in answer.get("Messages", []):
            if self._stopping.is_set():
                return
            event = self._as_on_aws(json.loads(message["Body"]))
            if event is not None and not self._start(event):
                return
            self._sqs.delete_message(
                QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"]
            )

    def _as_on_aws(self, event: dict[str, Any]) -> dict[str, Any] | None:
        return self._normaliser.normalise(event) if event["source"] == "aws.s3" else event

    def _start(self, event: dict[str, Any]) -> bool:
        """Start the event's execution, with retries. Return False if stopped before it started.

        An event that can never start an execution is dropped, so that it does not block the queue.
        """
        arn = f"{self._machine_arn.replace(':stateMachine:', ':execution:')}:{event['id']}"
        while self._wait_for_room():
            with self._changed:
                self._running.add(arn)  # before it starts, and so before it can end
            try:
                self._states.start_execution(
                    stateMachineArn=self._machine_arn, name=event["id"], input=json.dumps(event)
                )
            except (BotoCoreError, ClientError) as error:
                self._forget(arn)
                if _settled(error, event["id"]):
                    return True
                _LOG.exception("the execution of an event did not start; trying again")
                self._stopping.wait(_RETRY_S)
            else:
                return True
        return False

    def _wait_for_room(self) -> bool:
        """Wait until an execution can start. Return False if stopped."""
        with self._changed:
            while not self._changed.wait_for(self._may_go_on, _ROOM_CHECK_S):
                self._running = {arn for arn in self._running if self._is_running(arn)}
        return not self._stopping.is_set()

    def _may_go_on(self) -> bool:
        return len(self._running) < self._most_running or self._stopping.is_set()

    def _make_room(self, ended: Execution) -> None:
        self._forget(ended.arn)

    def _forget(self, arn: str) -> None:
        with self._changed:
            self._running.discard(arn)
            self._changed.notify_all()

    def _is_running(self, arn: str) -> bool:
        return bool(self._states.describe_execution(executionArn=arn)["status"] == "RUNNING")


def _settled(error: BotoCoreError | ClientError, event_id: str) -> bool:
    """Return True if a retry is useless: the execution already started, or can never start."""
    if not isinstance(error, ClientError):
        return False
    code = error.response["Error"]["Code"]
    if code == _STARTED:
        return True
    rejected = 400 <= error.response["ResponseMetadata"]["HTTPStatusCode"] < 500
    if rejected and code not in _TRANSIENT:
        _LOG.error("event %s was dropped, it cannot start an execution: %s", event_id, error)
        return True
    return False


class S3EventNormaliser:
    """Gives moto's S3 events AWS's form, and counts the two events of a multipart upload as one."""

    def __init__(self) -> None:
        self._sequence = itertools.count(1)

    def normalise(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """Return the event that AWS would send, None for the first event of a multipart upload.

        moto sends that one when it has put the parts together; the second one says that the upload
        is complete.
        """
        detail = event["detail"]
        stored = dict(detail["object"])
        etag = str(stored.pop("eTag", stored.get("etag", ""))).strip('"')
        if detail["reason"] == "PutObject" and _MULTIPART_ETAG.search(etag):
            return None
        if stored.get("version-id") == "null":
            del stored["version-id"]
        if "deletion-type" in detail:
            del stored["size"]
        stored |= {"etag": etag, "sequencer": f"{next(self._sequence):016X}"}
        return event | {
            "id": str(uuid.uuid4()),
            "detail": detail | {"object": stored, "request-id": uuid.uuid4().hex[:16].upper()},
        }
