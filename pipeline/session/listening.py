"""Tell the runs that use a local cloud, and its own command, of executions as they end."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.operations.executions import Execution
from pipeline.session.watching import Watch

if TYPE_CHECKING:
    from pipeline.local.cloud import LocalCloud

_LOG: Final = logging.getLogger(__name__)
_CHECK_S: Final = 0.05

Heard = queue.SimpleQueue[Execution]


class Listeners:
    """Those who are told of executions; one thread follows them for all."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._watch = Watch(cloud)
        self._lock = threading.Lock()
        self._listening: tuple[tuple[str, Heard], ...] = ()

    @contextlib.contextmanager
    def of(self, prefix: str) -> Iterator[Heard]:
        """Provide a queue of executions of objects whose keys begin with `prefix`, as they end."""
        here = prefix, Heard()
        with self._lock:
            self._listening = (*self._listening, here)
        try:
            yield here[1]
        finally:
            with self._lock:
                self._listening = tuple(each for each in self._listening if each is not here)

    def tell(self, stopping: threading.Event) -> None:
        """Tell of each execution that ends, until stopped."""
        while not stopping.wait(_CHECK_S):
            try:
                for execution in self._watch.ended():
                    for prefix, heard in self._listening:
                        if execution.key.startswith(prefix):
                            heard.put(execution)
            except (BotoCoreError, ClientError):
                _LOG.exception("Step Functions did not answer; asking again")


@contextlib.contextmanager
def listening(cloud: LocalCloud) -> Iterator[Listeners]:
    """Follow every execution of the products until the block ends."""
    listeners, stopping = Listeners(cloud), threading.Event()
    thread = threading.Thread(target=listeners.tell, args=(stopping,), daemon=True)
    thread.start()
    try:
        yield listeners
    finally:
        stopping.set()
        thread.join()
