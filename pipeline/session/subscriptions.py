"""Give the runs that use a local cloud, and its own command, news of executions."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.operations.executions import Execution
from pipeline.session.run_messages import TranscriptProgress
from pipeline.session.transcript_watch import TranscriptWatch
from pipeline.session.watching import Watch

if TYPE_CHECKING:
    from pipeline.local.cloud import LocalCloud

_LOG: Final = logging.getLogger(__name__)
_CHECK_S: Final = 0.05

News = queue.SimpleQueue[Execution | TranscriptProgress]


class Subscriptions:
    """Queues that get executions as they end, and how far recordings are transcribed."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._watch = Watch(cloud)
        self._lock = threading.Lock()
        self._subscribed: tuple[tuple[str, News], ...] = ()

    @contextlib.contextmanager
    def of(self, prefix: str) -> Iterator[News]:
        """Provide a queue of news of objects whose keys begin with `prefix`."""
        subscription = prefix, News()
        with self._lock:
            self._subscribed = (*self._subscribed, subscription)
        try:
            yield subscription[1]
        finally:
            with self._lock:
                self._subscribed = tuple(
                    each for each in self._subscribed if each is not subscription
                )

    def tell(self, told: Execution | TranscriptProgress) -> None:
        """Put news into the queues of its key."""
        for prefix, news in self._subscribed:
            if told.key.startswith(prefix):
                news.put(told)

    def deliver(self, stopping: threading.Event) -> None:
        """Put each execution that ends into the queues of its key, until stopped."""
        while not stopping.wait(_CHECK_S):
            try:
                for execution in self._watch.ended():
                    self.tell(execution)
            except (BotoCoreError, ClientError):
                _LOG.exception("Step Functions did not answer; asking again")


@contextlib.contextmanager
def subscriptions_of(cloud: LocalCloud) -> Iterator[Subscriptions]:
    """Follow every execution of the products until the block ends."""
    subscriptions, stopping = Subscriptions(cloud), threading.Event()
    watch = TranscriptWatch(cloud, subscriptions.tell)
    cloud.host.listen(watch.answered)
    cloud.jobs.listen(watch.ran)
    thread = threading.Thread(target=subscriptions.deliver, args=(stopping,), daemon=True)
    thread.start()
    try:
        yield subscriptions
    finally:
        stopping.set()
        thread.join()
