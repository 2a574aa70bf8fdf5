"""Keep moto 5.2.5 from growing with every photo: it is made for tests, which are short.

As in `compat`, each function fixes one defect; the same tests show that it is needed.
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final

from moto.core.common_models import BaseModel
from moto.dynamodb.models.table import Table
from moto.moto_api._internal import moto_api_backend
from moto.s3 import models as s3
from moto.sqs.models import Queue
from moto.utilities.tagging_service import TaggingService

from pipeline.local.moto.interpreter import (
    TMP_THREADS,
    BaseExecutionWorkerCommunication,
    CallbackPoolManager,
    Execution,
    MapRunRecordPoolManager,
    StepFunctionBackend,
    stepfunctions_parser_backends,
)
from pipeline.local.moto.shelf import Shelf
from pipeline.local.moto.stored_objects import Body, StoredObject, StoredObjects, bodies

_MOST_RECEIPTS: Final = 1_000
_LISTED: Final = ("name", "exec_arn", "execution_arn", "exec_status", "start_date", "stop_date")
_FORGETTING: Final = threading.RLock()
_FORGOTTEN: Final = weakref.WeakSet[Any]()
_MACHINES: Final = weakref.WeakValueDictionary[tuple[str, datetime], Any]()


def apply() -> None:
    """Apply all patches; `compat.apply` calls this once per process."""
    _track_no_instances()
    _store_bodies()
    _store_objects()
    _store_rows()
    _tag_nothing_with_nothing()
    _forget_receipts()
    _forget_threads()
    _store_ended_executions()


def forget() -> None:
    """Delete everything moto holds, in memory and on disk.

    An execution that still runs ends later, in a thread of its own, and is told to nobody.
    """
    with _FORGETTING:
        _FORGOTTEN.update(_executions())
        moto_api_backend.reset()
    for body in bodies().path.glob("*.body"):
        body.unlink(missing_ok=True)  # its last reader may just have removed it


@contextmanager
def remembered(execution: Any) -> Iterator[bool]:
    """Yield whether the execution's cloud is still there; it stays so in this block."""
    with _FORGETTING:
        yield execution not in _FORGOTTEN


def _executions() -> Iterator[Any]:
    for regions in stepfunctions_parser_backends.values():
        for backend in regions.values():
            for machine in backend.state_machines:
                yield from machine.executions


def _track_no_instances() -> None:
    """A list keeps every instance of every model, deleted messages included (19 KB a photo)."""
    BaseModel.__new__ = lambda cls, *_, **__: object.__new__(cls)


def _store_bodies() -> None:
    """Bodies of up to 5 MB stay in memory; every larger one keeps a file open."""
    bodies()  # made now: two threads that made it at once would each get a folder
    s3.tempfile = SimpleNamespace(SpooledTemporaryFile=Body)
    s3.FakeKey = StoredObject


def _store_objects() -> None:
    """Each object takes 2.3 KB in addition to its body (12 KB a photo)."""
    s3._VersionedKeyStore = StoredObjects


def _store_rows() -> None:
    """Each row takes 1.3 KB."""
    make = Table.__init__

    def made(self: Any, *arguments: Any, **options: Any) -> None:
        make(self, *arguments, **options)
        if self.range_key_attr is None and self.hash_key_type == "S":
            self.items = Shelf()

    Table.__init__ = made


def _tag_nothing_with_nothing() -> None:
    """An object without tags gets an empty dict of tags under a long name (3 KB a photo)."""
    tag = TaggingService.tag_resource

    def tagged(self: Any, arn: str, tags: Any) -> None:
        if tags:
            tag(self, arn, tags)

    TaggingService.tag_resource = tagged


class _LatestReceipts(deque[str]):
    update = deque.extend


def _forget_receipts() -> None:
    """The receipt of every deleted message stays, in case it is deleted again (1 KB a photo)."""
    make = Queue.__init__

    def made(self: Any, *arguments: Any, **options: Any) -> None:
        make(self, *arguments, **options)
        self.deleted_messages = _LatestReceipts(maxlen=_MOST_RECEIPTS)

    Queue.__init__ = made


def _forget_threads() -> None:
    """A list that nobody reads keeps the thread of every state (15 KB a photo)."""
    _when_an_execution_ends(lambda _: TMP_THREADS.clear())


def _store_ended_executions() -> None:
    """Ended executions keep their events and the interpreter's state (37 KB a photo)."""
    make = StepFunctionBackend.__init__

    def made(self: Any, *arguments: Any, **options: Any) -> None:
        make(self, *arguments, **options)
        self.ended_executions = Shelf()

    StepFunctionBackend.__init__ = made
    _when_an_execution_ends(_store)


def _when_an_execution_ends(do: Any) -> None:
    ended = BaseExecutionWorkerCommunication.terminated

    def and_then(self: Any) -> None:
        ended(self)
        do(self.execution)

    BaseExecutionWorkerCommunication.terminated = and_then


class EndedExecution(Execution):  # type: ignore[misc]  # moto is untyped
    """An execution with its input, output and events on disk; the rest is in memory for lists."""

    exec_worker = SimpleNamespace(
        env=SimpleNamespace(
            callback_pool_manager=CallbackPoolManager(activity_store={}),
            map_run_record_pool_manager=MapRunRecordPoolManager(),
        ),
        stop=lambda **_: None,
    )

    def __getattr__(self, name: str) -> Any:
        try:
            return self._stored("details")[name]
        except KeyError:
            raise AttributeError(name) from None

    def to_history_output(self) -> dict[str, Any]:
        return {"events": self._stored("events")}

    def _stored(self, part: str) -> Any:
        shelf = vars(self)["state_machine"].backend.ended_executions
        return shelf[vars(self)["exec_arn"], part]


def _store(execution: Execution) -> None:
    """Make this an EndedExecution, unless it has Map Runs, which can still be listed.

    On a full disk it stays in memory.
    """
    env = execution.exec_worker.env
    if type(execution) is not Execution or env.map_run_record_pool_manager.get_all():
        return
    details = vars(execution).copy()
    del details["exec_worker"]
    machine = _shared(details.pop("state_machine"))
    shelf = machine.backend.ended_executions
    try:
        shelf[execution.exec_arn, "events"] = env.event_manager.get_event_history()
        shelf[execution.exec_arn, "details"] = details
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
            raise
        return
    execution.__class__ = EndedExecution
    execution.__dict__ = {name: details[name] for name in _LISTED} | {"state_machine": machine}


def _shared(machine: Any) -> Any:
    """Return one copy of a state machine for all its executions; moto makes one for each."""
    return _MACHINES.setdefault((machine.arn, machine.update_date), machine)
