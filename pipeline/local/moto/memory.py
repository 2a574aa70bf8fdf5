"""What keeps moto 5.2.5 from growing with every photo: it is made for tests, which are short.

As in `moto_compat`, each function mends one defect, and is seen to be needed by the same tests.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final

from moto.core.common_models import BaseModel
from moto.dynamodb.models.table import Table
from moto.moto_api._internal import moto_api_backend
from moto.s3 import models as s3
from moto.sqs.models import Queue
from moto.stepfunctions.parser.backend import execution
from moto.stepfunctions.parser.utils import TMP_THREADS
from moto.utilities.tagging_service import TaggingService

from pipeline.local.moto.ended_executions import put_away
from pipeline.local.moto.spill import spill
from pipeline.local.moto.stored_objects import Body, StoredObjects, restore, state_of
from pipeline.local.moto.stored_rows import StoredRows

_RECEIPTS: Final = 1_000


def apply() -> None:
    """Mend everything; `moto_compat.apply` sees to it that this is done once."""
    _track_no_instances()
    _store_bodies()
    _store_objects()
    _store_rows()
    _tag_nothing_with_nothing()
    _forget_receipts()
    _forget_threads()
    _put_away_executions()


def forget() -> None:
    """Leave nothing of what a cloud kept, in memory or on disk."""
    moto_api_backend.reset()
    spill().empty()


def _track_no_instances() -> None:
    """Every instance of every model is kept in a list for ever: messages that are long deleted."""
    BaseModel.__new__ = lambda cls, *_, **__: object.__new__(cls)


def _store_bodies() -> None:
    """Bodies of up to 5 MB are kept in memory; every larger one keeps a file open."""
    s3.tempfile = SimpleNamespace(SpooledTemporaryFile=Body)
    s3.FakeKey.__getstate__ = state_of
    s3.FakeKey.__setstate__ = restore
    del s3.FakeKey.__del__  # it would take a copy's body with it, and warns of open files


def _store_objects() -> None:
    """Each object takes 2 KB beside its body: five for each photo."""
    s3._VersionedKeyStore = StoredObjects


def _store_rows() -> None:
    """Each row takes some 3 KB."""
    make = Table.__init__

    def made(self: Any, *arguments: Any, **options: Any) -> None:
        make(self, *arguments, **options)
        if self.range_key_attr is None and self.hash_key_type == "S":
            self.items = StoredRows()

    Table.__init__ = made


def _tag_nothing_with_nothing() -> None:
    """An object without tags gets an empty table of them, by a long name."""
    tag = TaggingService.tag_resource

    def tagged(self: Any, arn: str, tags: Any) -> None:
        if tags:
            tag(self, arn, tags)

    TaggingService.tag_resource = tagged


class _LatestReceipts(dict[str, None]):
    """A set of the latest receipts, in place of one of all."""

    def update(self, receipts: Any) -> None:  # type: ignore[override]
        super().update(dict.fromkeys(receipts))
        for oldest in list(self)[:-_RECEIPTS]:
            del self[oldest]


def _forget_receipts() -> None:
    """Every receipt of every deleted message is kept, in case it is deleted again."""
    make = Queue.__init__

    def made(self: Any, *arguments: Any, **options: Any) -> None:
        make(self, *arguments, **options)
        self.deleted_messages = _LatestReceipts()

    Queue.__init__ = made


def _forget_threads() -> None:
    """Every thread of every state is kept in a list for ever: a dozen for each photo."""
    ended = execution.BaseExecutionWorkerCommunication.terminated

    def forgotten(self: Any) -> None:
        ended(self)
        TMP_THREADS[:] = [thread for thread in TMP_THREADS if thread.is_alive()]

    execution.BaseExecutionWorkerCommunication.terminated = forgotten


def _put_away_executions() -> None:
    """Executions that are over stay as they were: every event, the interpreter's state, 110 KB."""
    ended = execution.BaseExecutionWorkerCommunication.terminated

    def put(self: Any) -> None:
        ended(self)
        put_away(self.execution)

    execution.BaseExecutionWorkerCommunication.terminated = put
