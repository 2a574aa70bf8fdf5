"""A mapping whose values are on disk, so that a long run does not fill the memory."""

from __future__ import annotations

import contextlib
import copy
import pickle
import sqlite3
import tempfile
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from typing import Any, Final

IN_USE_S: float = 5  # how long a caller may change a value; a request takes milliseconds
_MOST_RECENT: Final = 16  # values in memory, unless more are in use
_FASTEST: Final = 1  # zlib level
_SETTINGS: Final = (
    "journal_mode = MEMORY",  # undoes a write that finds the disk full
    "synchronous = OFF",  # the file need not outlive a crash
    "cache_size = -256",  # KiB
)
_SET: Final = "INSERT INTO shelf VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"


class Shelf(MutableMapping[Any, Any]):
    """A mapping that keeps its recent values in memory and all others, pickled, in a file.

    A caller may change a value for `IN_USE_S` seconds after getting it. Keys are compared by their
    text. The file has no name, so the operating system removes it when the shelf or its process
    ends, even if it is killed. On a full disk, setting a value raises sqlite3.OperationalError and
    loses no other value.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._recent: OrderedDict[str, tuple[Any, float]] = OrderedDict()  # value, last use
        with tempfile.NamedTemporaryFile() as file:
            self._database = sqlite3.connect(
                file.name, check_same_thread=False, isolation_level=None
            )
            for setting in _SETTINGS:
                self._database.execute(f"PRAGMA {setting}")
            self._database.execute("CREATE TABLE shelf (key PRIMARY KEY, value)")

    def __len__(self) -> int:
        return int(self._select("SELECT count(*) FROM shelf")[0][0])

    def __contains__(self, key: object) -> bool:
        return bool(self._select("SELECT 1 FROM shelf WHERE key = ?", str(key)))

    def __iter__(self) -> Iterator[str]:
        """Yield the keys there are now, in no order."""
        return iter([key for (key,) in self._select("SELECT key FROM shelf")])

    def __getitem__(self, key: Any) -> Any:
        with self._lock:
            return self._use(str(key), self._read(str(key)))

    def __setitem__(self, key: Any, value: Any) -> None:
        with self._lock:
            self._write(str(key), value)
            self._use(str(key), value)

    def __delitem__(self, key: Any) -> None:
        with self._lock:
            self._recent.pop(str(key), None)
            deleted = self._database.execute("DELETE FROM shelf WHERE key = ?", (str(key),))
            if not deleted.rowcount:
                raise KeyError(key)

    def items(self) -> Iterator[tuple[str, Any]]:  # type: ignore[override]
        """Yield every key and value, one at a time; skip those deleted meanwhile."""
        for key in self:
            with contextlib.suppress(KeyError):
                yield key, self._read(key)

    def values(self) -> Iterator[Any]:  # type: ignore[override]
        return (value for _, value in self.items())

    def __deepcopy__(self, memo: dict[int, Any]) -> Shelf:
        copied = Shelf()
        for key, value in self.items():
            copied[key] = copy.deepcopy(value, memo)
        return copied

    def _use(self, key: str, value: Any) -> Any:
        now = time.monotonic()
        self._recent[key] = value, now
        self._recent.move_to_end(key)
        while len(self._recent) > _MOST_RECENT:
            oldest, (changed, used) = next(iter(self._recent.items()))
            if now - used < IN_USE_S:
                break
            self._write(oldest, changed)
            del self._recent[oldest]
        return value

    def _read(self, key: str) -> Any:
        with self._lock:
            if key in self._recent:
                return self._recent[key][0]
            for (value,) in self._select("SELECT value FROM shelf WHERE key = ?", key):
                return pickle.loads(zlib.decompress(value))  # noqa: S301 - this process wrote it
        raise KeyError(key)

    def _write(self, key: str, value: Any) -> None:
        self._database.execute(_SET, (key, zlib.compress(pickle.dumps(value), _FASTEST)))

    def _select(self, query: str, *parameters: str) -> list[Any]:
        with self._lock:
            return self._database.execute(query, parameters).fetchall()
