"""What a long run would pile up in memory, kept on disk, and removed when the process ends."""

from __future__ import annotations

import contextlib
import functools
import itertools
import pickle
import sqlite3
import tempfile
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

_MOST_WARM: Final = 64  # values of a shelf; more than are worked on at once
_FAST: Final = 1  # of zlib's levels
_SETTINGS: Final = (
    "journal_mode = OFF",
    "synchronous = OFF",
    "cache_size = -256",
)  # no crash is outlived
_TABLE: Final = "CREATE TABLE kept (shelf, name, content, PRIMARY KEY (shelf, name))"
_COUNT: Final = "SELECT count(*) FROM kept WHERE shelf = ?"
_NAMES: Final = "SELECT name FROM kept WHERE shelf = ?"
_KEPT: Final = "SELECT content FROM kept WHERE shelf = ? AND name = ?"
_ANNOUNCE: Final = "INSERT OR IGNORE INTO kept (shelf, name) VALUES (?, ?)"
_KEEP: Final = "INSERT INTO kept VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET content = ?3"


class Spill:
    """One file of folded values, by shelf and name, and a folder of files of bytes."""

    def __init__(self) -> None:
        self.lock: Final = threading.RLock()
        self._folder = tempfile.TemporaryDirectory(prefix="matteline-spill-")
        self._numbers = itertools.count()
        self._files = Path(self._folder.name) / "files"
        self._files.mkdir()
        self._database = sqlite3.connect(
            Path(self._folder.name) / "values", check_same_thread=False, isolation_level=None
        )
        for setting in _SETTINGS:
            self._database.execute(f"PRAGMA {setting}")
        self._database.execute(_TABLE)

    def new_file(self) -> Path:
        """A path of its own; nothing is there yet."""
        return self._files / str(self.number())

    def number(self) -> int:
        return next(self._numbers)

    def announce(self, shelf: str, name: str) -> None:
        """Have the name among the names; its value may come later."""
        with self.lock:
            self._database.execute(_ANNOUNCE, (shelf, name))

    def put(self, shelf: str, name: str, value: Any) -> None:
        content = zlib.compress(pickle.dumps(value), _FAST)
        with self.lock:
            self._database.execute(_KEEP, (shelf, name, content))

    def get(self, shelf: str, name: str) -> Any:
        """The value as it was kept. KeyError if there is none."""
        with self.lock:
            row = self._database.execute(_KEPT, (shelf, name)).fetchone()
        if row is None:
            raise KeyError(name)
        return pickle.loads(zlib.decompress(row[0]))  # noqa: S301 - of this process's own making

    def drop(self, shelf: str, name: str) -> None:
        with self.lock:
            self._database.execute("DELETE FROM kept WHERE shelf = ? AND name = ?", (shelf, name))

    def count(self, shelf: str) -> int:
        with self.lock:
            row = self._database.execute(_COUNT, (shelf,)).fetchone()
        return int(row[0])

    def names(self, shelf: str) -> list[str]:
        """In no order."""
        with self.lock:
            rows = self._database.execute(_NAMES, (shelf,)).fetchall()
        return [name for (name,) in rows]

    def empty(self) -> None:
        """Drop everything: nobody is to ask for any of it again."""
        with self.lock:
            self._database.execute("DELETE FROM kept")
            for file in self._files.iterdir():
                file.unlink()


@functools.cache
def spill() -> Spill:
    """The process's own."""
    return Spill()


class Shelf:
    """Values by name: those used last as they are, the others on disk until they are asked for.

    A value may be changed while it is used; it is kept as it is when others take its place.
    """

    def __init__(self, *, most_warm: int = _MOST_WARM) -> None:
        self._name = str(spill().number())
        self._warm: OrderedDict[str, Any] = OrderedDict()
        self._most_warm = most_warm

    def __len__(self) -> int:
        return spill().count(self._name)

    def __contains__(self, name: str) -> bool:
        try:
            self[name]
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        """The names, in no order."""
        return iter(spill().names(self._name))

    def __getitem__(self, name: str) -> Any:
        """The value itself. KeyError if there is none."""
        with spill().lock:
            if name in self._warm:
                self._warm.move_to_end(name)
                return self._warm[name]
            return self._warm_up(name, spill().get(self._name, name))

    def __setitem__(self, name: str, value: Any) -> None:
        with spill().lock:
            spill().announce(self._name, name)
            self._warm_up(name, value)

    def pop(self, name: str) -> Any:
        with spill().lock:
            value = self[name]
            del self._warm[name]
            spill().drop(self._name, name)
        return value

    def items(self) -> Iterator[tuple[str, Any]]:
        """All there is; what is on disk stays there, and what goes meanwhile is left out."""
        for name in self:
            with contextlib.suppress(KeyError):
                yield name, self._look_at(name)

    def _look_at(self, name: str) -> Any:
        with spill().lock:
            return self._warm[name] if name in self._warm else spill().get(self._name, name)

    def _warm_up(self, name: str, value: Any) -> Any:
        self._warm[name] = value
        self._warm.move_to_end(name)
        while len(self._warm) > self._most_warm:
            spill().put(self._name, *self._warm.popitem(last=False))
        return value
