"""A store whose task is killed before one of its writes, or never learns of it."""

from __future__ import annotations

import threading
from typing import Any, Final

from pipeline.artifacts import ArtifactStore
from pipeline.errors import StoreUnavailable

_WRITES: Final = frozenset(
    {
        "write",
        "upload",
        "write_if_unchanged",
        "delete_if_unchanged",
        "erase",
        "erase_below",
    }
)


class Killed(BaseException):
    """The process ended; nothing catches it."""


class Interrupted:
    """Lets `writes` writes happen, then none; with `unheard`, the next happens and fails."""

    def __init__(self, store: ArtifactStore, writes: int, *, unheard: bool = False) -> None:
        self._store = store
        self._left = writes
        self._unheard = unheard
        self._one_at_a_time = threading.Lock()

    @property
    def was_reached(self) -> bool:
        return self._left < 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in _WRITES:
            return method

        def write(*args: Any, **options: Any) -> Any:
            with self._one_at_a_time:
                self._left -= 1
                if self._left < 0 and not self._unheard:
                    raise Killed
                made = method(*args, **options)
                if self._left == -1 and self._unheard:
                    raise StoreUnavailable("no answer")
                return made

        return write
